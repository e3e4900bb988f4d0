"""The command line: `jupyter fpga …`."""
