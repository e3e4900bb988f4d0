"""Numbers of system calls, by name, of the two architectures that the lab has a filter for."""

__all__ = ("AUDIT", "number")

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How seccomp names the architectures that are listed here: ``AUDIT_ARCH_*`` of ``linux/audit.h``."""

# Name, number on x86_64 (asm/unistd_64.h), number on aarch64 (asm-generic/unistd.h); "-" where there is none.
_TABLE = """
ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271; kcmp 312 272; pidfd_getfd 438 438
mount 165 40; umount2 166 39; pivot_root 155 41; chroot 161 51; open_tree 428 428; move_mount 429 429; fsopen 430 430
fsconfig 431 431; fsmount 432 432; fspick 433 433; mount_setattr 442 442; statmount 457 457; listmount 458 458
open_tree_attr 467 467; unshare 272 97; setns 308 268; swapon 167 224; swapoff 168 225; quotactl 179 60
quotactl_fd 443 443; acct 163 89; reboot 169 142; sethostname 170 161; setdomainname 171 162; settimeofday 164 170
clock_settime 227 112; clock_adjtime 305 266; adjtimex 159 171; syslog 103 116; vhangup 153 58; iopl 172 -
ioperm 173 -; modify_ldt 154 -; uselib 134 -; init_module 175 105; delete_module 176 106; finit_module 313 273
kexec_load 246 104; kexec_file_load 320 294; add_key 248 217; request_key 249 218; keyctl 250 219
perf_event_open 298 241; bpf 321 280; userfaultfd 323 282; lookup_dcookie 212 18; name_to_handle_at 303 264
open_by_handle_at 304 265; fanotify_init 300 262; fanotify_mark 301 263; io_uring_setup 425 425
io_uring_enter 426 426; io_uring_register 427 427; memfd_secret 447 447; file_setattr 469 469
migrate_pages 256 238; move_pages 279 239; ioprio_set 251 30; setpriority 141 140; prlimit64 302 261
sched_setaffinity 203 122; sched_setscheduler 144 119; sched_setparam 142 118; sched_setattr 314 274
shmget 29 194; shmat 30 196; shmctl 31 195; msgget 68 186; msgsnd 69 189; msgrcv 70 188; msgctl 71 187
semget 64 190; semop 65 193; semtimedop 220 192; semctl 66 191; mq_open 240 180; mq_unlink 241 181
memfd_create 319 279; inotify_init 253 -; inotify_init1 294 26
fork 57 -; vfork 58 -; clone 56 220; clone3 435 435; ioctl 16 29; socket 41 198; socketpair 53 199; connect 42 203
chmod 90 -; fchmod 91 52; fchmodat 268 53; fchmodat2 452 452; chown 92 -; fchown 93 55; lchown 94 -; fchownat 260 54
utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88; setxattr 188 5; lsetxattr 189 6; fsetxattr 190 7
setxattrat 463 463; removexattr 197 14; lremovexattr 198 15; fremovexattr 199 16; removexattrat 466 466
"""


def _table() -> dict[str, dict[str, int]]:
    numbers: dict[str, dict[str, int]] = {machine: {} for machine in AUDIT}
    for entry in _TABLE.replace("\n", ";").split(";"):
        if entry:
            name, *columns = entry.split()
            for machine, column in zip(AUDIT, columns, strict=True):
                if column != "-":
                    numbers[machine][name] = int(column)
    return numbers


_NUMBERS = _table()


def number(name: str, machine: str) -> int | None:
    """A call's number; None if the architecture doesn't have it.

    Raises
    ------
    KeyError
        An architecture that isn't in :data:`AUDIT`.
    """
    return _NUMBERS[machine].get(name)
