"""Takes its own limits away."""

import resource

for name in ("RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
    kind = getattr(resource, name)
    try:
        resource.setrlimit(kind, (resource.getrlimit(kind)[0], resource.RLIM_INFINITY))
    except (ValueError, OSError) as error:
        print(name, type(error).__name__)
    else:
        print(name)
