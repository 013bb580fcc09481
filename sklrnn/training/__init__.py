"""One way to train any module, and the trained network as an object."""
