"""FastAPI under uvicorn: a function that is run in a thread, as its documentation says of such ones."""

from fastapi import FastAPI
from judging import Judge
from pydantic import BaseModel

app = FastAPI()
judge = Judge()


class Review(BaseModel):
    """What is asked."""

    text: str


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/predict")
def predict(review: Review) -> dict[str, object]:
    return judge.judge([review.text])[0]
