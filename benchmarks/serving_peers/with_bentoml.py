"""BentoML: a service with a method, and with adaptive batching where that is asked for."""

import bentoml
from judging import BATCH, WORKERS, Judge


@bentoml.service(workers=WORKERS, traffic={"timeout": 60})
class Reviews:
    """Judges reviews."""

    def __init__(self) -> None:
        self.judge = Judge()

    if BATCH:

        @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=1000, route="/predict")
        def predict(self, texts: list[str]) -> list[dict]:
            return self.judge.judge(texts)

    else:

        @bentoml.api(route="/predict")
        def predict(self, text: str) -> dict:
            return self.judge.judge([text])[0]
