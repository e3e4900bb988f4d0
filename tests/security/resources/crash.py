"""Crashes, having asked for the largest core dump that it may have."""

import ctypes
import resource

kind = resource.RLIMIT_CORE
print(resource.getrlimit(kind), flush=True)
resource.setrlimit(kind, (resource.getrlimit(kind)[1],) * 2)
ctypes.string_at(0)
