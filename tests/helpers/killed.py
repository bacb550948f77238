"""Trainings that are killed (SIGKILL) at random moments and resumed from their last saved history.

    python tests/helpers/killed.py --kills 100

Each training saves its history after each epoch. A process is killed at a random moment, another one resumes from the
file, and so on; at the end the file has to be, byte for byte, that of a training which was never interrupted. Then a
save is killed at each line of the code that writes files: the file has to be the old one or the new one.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from micrograd_bp import files, fit, nn
from micrograd_bp.training import History
from micrograd_bp.training.optim import Adam, GradientDescent
from micrograd_bp.training.schedules import exponential

X = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]]
Y = [0.0, 1.0, 1.0, 0.0, 0.5]
EPOCHS = 30
TRAININGS = {
    "Adam, batches": (lambda p: Adam(p, 0.05, schedule=exponential(0.99)), {"batch": 2, "seed": 5}),
    "momentum, full batch": (lambda p: GradientDescent(p, 0.1, momentum=0.9), {"l2": 1e-3, "clip": 0.5}),
}


def train(path, make, settings):
    """Train up to `EPOCHS` epochs, resuming from the file where there is one."""
    model = nn.MLP(2, [3, 1], "tanh", seed=random.randrange(1000) if path.exists() else 1)
    history = History.load(path) if path.exists() else History()
    if history.epochs < EPOCHS:
        fit(
            model,
            X,
            Y,
            optimiser=make(model.parameters()),
            epochs=EPOCHS - history.epochs,
            callbacks=[lambda epoch, history: history.save(path)],
            resume=history,
            progress=False,
            **settings,
        )


def forked(work):
    """Run `work` in a copy of this process, and return its number."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    return child


def ended(child):
    """Wait, and return whether the process was killed. Raises where it failed by itself."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise SystemExit(f"a resumed training failed with exit code {status}")
    return status != 0


def at_random_moments(folder, kills, numbers):
    """Return (kills, those after at least one epoch, parts of files that were left, differences)."""
    done, late, parts, differences, rounds = 0, 0, 0, 0, 0
    wholes = {}
    for name, (make, settings) in TRAININGS.items():
        path = folder / f"whole {name}"
        train(path, make, settings)
        wholes[name] = path.read_bytes()
    while done < kills:
        name = list(TRAININGS)[rounds % len(TRAININGS)]
        rounds += 1
        own = folder / str(rounds)
        own.mkdir()
        path = own / "training.json"
        while True:
            child = forked(lambda: train(path, *TRAININGS[name]))  # noqa: B023  # it runs at once
            if done < kills:
                time.sleep(numbers.uniform(0.0, 0.15))
                os.kill(child, signal.SIGKILL)
            if not ended(child):
                break
            done += 1
            late += path.exists()
        parts += len(list(own.glob(".*.part")))
        differences += path.read_bytes() != wholes[name]
    return done, late, parts, differences, rounds


def at_each_line(folder):
    """Return the numbers of kills that left the old file and the new one, and of all others."""
    path = folder / "saved.json"
    old, new = (History([x] * 100, [x] * 100, [x] * 100) for x in (0.5, 0.25))
    contents = [old.save(path).read_bytes(), new.save(path).read_bytes()]
    found, line = [0, 0, 0], 0
    while True:
        line += 1
        old.save(path)

        def killed_there(last=line):
            seen = 0

            def trace(frame, event, arg):
                nonlocal seen
                if frame.f_code.co_filename not in (files.__file__, __file__):
                    return None
                seen += event == "line"
                if seen == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return trace

            sys.settrace(trace)
            new.save(path)

        if not ended(forked(killed_there)):
            return found
        content = path.read_bytes()
        found[contents.index(content) if content in contents else 2] += 1


def careless(path, content):
    """Write as one would without thought; the checks above have to find it."""
    with path.open("wb") as file:
        file.write(content[:100])
        file.flush()
        file.write(content[100:])
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--careless", action="store_true", help="write the file in place, which has to be found")
    options = parser.parse_args()
    if options.careless:
        files.write = careless
    with tempfile.TemporaryDirectory() as folder:
        done, late, parts, differences, rounds = at_random_moments(
            Path(folder), options.kills, random.Random(options.seed)
        )
        print(
            f"{done} kills ({late} after the first save, {parts} in the middle of one) in {rounds} trainings, "
            f"{differences} differ"
        )
        old, new, others = at_each_line(Path(folder))
        print(f"killed at each line of a save: {old} left the old file, {new} the new one, {others} another")
    return 1 if differences or others or not (old and new) else 0


if __name__ == "__main__":
    sys.exit(main())
