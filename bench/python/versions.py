"""Prints what the peers are, as one JSON object; fails where something that they need is missing."""

import json
import platform
import re

import numpy
import torch

LIBRARIES = {"oneDNN": r"MKL-DNN v([\d.]+)", "MKL": r"Math Kernel Library Version ([\d.]+)"}


def main():
    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    versions = {"Python": platform.python_version(), "PyTorch": torch.__version__, "NumPy": numpy.__version__}
    versions[f"NumPy's {blas['name']}"] = blas["version"]
    for name, pattern in LIBRARIES.items():
        found = re.search(pattern, torch.__config__.show())
        if found:
            versions[name] = found[1]
    print(json.dumps(versions))


if __name__ == "__main__":
    main()
