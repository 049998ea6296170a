"""Learn letters from the texts that marfa brings along, and write. Takes about a minute.

python examples/write.py [FOLDER]
"""

import sys

import marfa

settings = marfa.resolve(
    "shakespeare", {"preset": "sample", "epochs": 4, "workdir": (sys.argv[1:] or ["work"])[0]}
)
for stage in (marfa.fetch, marfa.prepare, marfa.train, marfa.evaluate):
    result = stage(settings)
print(result["verdict"])

model = marfa.load(marfa.package(settings)["file"])
for temperature in (0.0, 0.5, 1.0):
    text = model.generate("The ", length=120, temperature=temperature, seed=1)
    print(f"\ntemperature {temperature}\n{text}")
