# Name spaces of one's own, by the tools that there are.
for kind in user "user --map-root-user" "user --mount" "user --net" "user --pid --fork"; do
  unshare --$kind true 2>/dev/null && echo "unshare --$kind"
done
chroot / true 2>/dev/null && echo "chroot"
mount -t tmpfs none "$HOME" 2>/dev/null && echo "mount"
nsenter --target 1 --all true 2>/dev/null && echo "nsenter"
su -c true 2>/dev/null && echo "su"
command -v unshare >/dev/null && echo "tried"
