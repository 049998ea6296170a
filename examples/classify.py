"""Train on the reviews that marfa brings along, and judge two texts. Takes about half a minute.

python examples/classify.py [FOLDER]
"""

import sys

import marfa

settings = marfa.resolve(
    "sentiment", {"preset": "sample", "workdir": (sys.argv[1:] or ["work"])[0]}
)
for stage in (marfa.fetch, marfa.prepare, marfa.train, marfa.evaluate):
    result = stage(settings)
print(result["verdict"])

model = marfa.load(marfa.package(settings)["file"])
texts = ["Wonderful: I loved every page of it.", "Rude waiter, cold soup. Never again."]
for text, label, shares in zip(
    texts, model.predict(texts), model.predict_proba(texts), strict=True
):
    print(f"{label or 'cannot judge':<12}  {max(shares):.2f}  {text}")
