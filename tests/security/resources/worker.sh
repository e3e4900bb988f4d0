#!/bin/sh
# A worker whose functions are attacks; "well" is what the next person wants.
case "$1" in
  well) echo "well"; echo 42 > outputs/answer ;;
  fork) (while :; do sleep 1000 & done); exec sleep 1000 ;;
  disk) while :; do cat /dev/zero; done > outputs/zeros ;;
  flood) while :; do printf '%065536d' 0; done ;;
  endless) trap '' TERM INT HUP; while :; do :; done ;;
  link) ln -s /etc/hostname outputs/answer ;;
  fifo) mkfifo outputs/answer ;;
  forge) rm -f request.json; echo forged > outputs/answer; kill -9 0 ;;
esac
