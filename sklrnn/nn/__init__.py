"""Torch modules: cells, layers, the network and its losses. Nothing of scikit-learn."""
