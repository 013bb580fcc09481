"""Sequences turned round, sorted, and dates written as one form: how many answers are exactly right, and how fast.

    python docs/benchmarks/translation.py [reverse|sort|dates ...]

Everything is made up from a seed. 5,000 pairs are learnt from with defaults, 1,000 that occur in none of them are asked
for.
"""

import sys
import time
from datetime import date, timedelta

import numpy as np

from sklrnn import SequenceTranslator

N_KNOWN, N_NEW = 5_000, 1_000
MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def strings_of_digits(rng):
    """Different strings of one to eight digits; there are few short ones."""
    strings = set()
    while len(strings) < N_KNOWN + N_NEW:
        strings.add("".join(rng.choice(list("0123456789"), rng.integers(1, 9))))
    return rng.permutation(sorted(strings)).tolist()


def reverse(rng):
    X = strings_of_digits(rng)
    return X, [text[::-1] for text in X]


def sort(rng):
    X = strings_of_digits(rng)
    return X, ["".join(sorted(text)) for text in X]


def dates(rng):
    """Different days of two centuries, each in one of six forms, and the same day as year, month and day."""
    days = rng.choice((date(2100, 1, 1) - date(1900, 1, 1)).days, N_KNOWN + N_NEW, replace=False)
    dates = [date(1900, 1, 1) + timedelta(int(day)) for day in days]
    return [written(day, rng.integers(6)) for day in dates], [day.isoformat() for day in dates]


def written(day, form):
    month = MONTHS[day.month - 1]
    return [
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month[:3]} {day.year}",
        f"{month[:3].upper()} {day.day} {day.year}",
        f"{day.day:02d}.{day.month:02d}.{day.year}",
        f"{day.month}/{day.day}/{day.year}",
    ][form]


TASKS = {"reverse": reverse, "sort": sort, "dates": dates}


def exact_matches(task, *, seed, **options):
    """The share of new sequences that are answered exactly, and the seconds that a core worked on fit and answers."""
    X, y = TASKS[task](np.random.default_rng(seed))
    model = SequenceTranslator(random_state=seed, **options)
    start = time.process_time()
    model.fit(X[:N_KNOWN], y[:N_KNOWN])
    fitted = time.process_time()
    share = model.score(X[N_KNOWN:], y[N_KNOWN:])
    return share, fitted - start, time.process_time() - fitted


def main(names):
    print(f"{'task':10}{'attention':>10}  {'exact':24}{'fit':>8}{'answer':>9}")
    for task in names or TASKS:
        for attention, n_seeds in ((False, 3), (True, 1)):
            runs = [exact_matches(task, seed=seed, attention=attention) for seed in range(n_seeds)]
            shares, fits, answers = zip(*runs, strict=True)
            exact = ", ".join(f"{share:.3f}" for share in shares)
            print(f"{task:10}{attention!s:>10}  {exact:24}{np.mean(fits):6.0f} s{np.mean(answers):7.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
