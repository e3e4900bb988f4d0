"""Contents and results, kept by what they are."""

from jupyter_fpga.compute.cache.blobs import Blob, BlobStore, digest_of
from jupyter_fpga.compute.cache.results import ActionCache, Entry, Made, action_key

__all__ = ("ActionCache", "Blob", "BlobStore", "Entry", "Made", "action_key", "digest_of")
