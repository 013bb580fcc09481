"""One model trained by two processes: it is that of one process, and no process waits for one that has ended."""

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import sklrnn
from sklrnn import GRURegressor, data_parallel
from sklrnn.generation.batches import TextBatches
from sklrnn.generation.texts import Texts
from sklrnn.nn.batch_share import BatchShare
from sklrnn.training.shared_batches import SharedBatches
from tests.training import data_parallel_program as program

ROOT = Path(sklrnn.__file__).parents[1]
PROGRAM = [program.__file__]
SECONDS = 240
