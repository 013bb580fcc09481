"""A GRU learns to write like Shakespeare, letter by letter: how well does it predict the last tenth of the plays?

``SKLRNN_DATA`` names the folder that holds ``tinyshakespeare.txt.gz`` (1.1 MB of text).
"""

import gzip
import os
import time
from pathlib import Path

from sklrnn import SequenceGenerator


def main():
    with gzip.open(Path(os.environ["SKLRNN_DATA"]) / "tinyshakespeare.txt.gz", "rt", encoding="utf-8") as file:
        text = file.read()
    n_training = int(0.9 * len(text))
    model = SequenceGenerator(
        cell="gru",
        units=256,
        embedding_dim=64,
        segment_length=64,
        batch_size=64,
        max_epochs=10,
        schedule="one_cycle",
        early_stopping=False,  # the last tenth is evaluated once, after training
        n_jobs=1,
        random_state=0,
        verbose=2,
    )
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit([text[:n_training]])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"training: {cpu / 60:.1f} minutes of CPU ({wall / 60:.1f} by the clock), wanted at most 15")
    loss = -model.score([text[n_training:]])
    print(f"last tenth of the text: {loss:.4f} nats a character, wanted below 1.60; {model.n_parameters_} parameters")
    for temperature in (0.5, 0.8):
        print(f"--- temperature {temperature}")
        print(model.generate("ROMEO:", length=500, temperature=temperature, random_state=0))


if __name__ == "__main__":
    main()
