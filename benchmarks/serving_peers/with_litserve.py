"""LitServe: a LitAPI with its four steps, as its documentation shows them."""

import litserve as ls
from judging import BATCH, PORT, WORKERS, Judge


class Reviews(ls.LitAPI):
    """Judges reviews."""

    def setup(self, device):
        self.judge = Judge()

    def decode_request(self, request):
        return request["text"]

    def predict(self, asked):
        return self.judge.judge(asked) if BATCH else self.judge.judge([asked])[0]

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    batching = {"max_batch_size": BATCH, "batch_timeout": 0.002} if BATCH else {}
    server = ls.LitServer(Reviews(**batching), accelerator="cpu", workers_per_device=WORKERS)
    server.run(host="127.0.0.1", port=PORT, log_level="warning", generate_client_file=False)
