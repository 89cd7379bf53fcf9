# Reads what a test process has started, a line each: `+ process 123`, `+ directory /tmp/x`, `+ container 4f0c`, and the
# same with `-` once it is gone. The input ends when that process does, even by `kill -9`: then what is left goes.
trap '' HUP INT TERM
held=''
while read -r change thing; do
  case $change in
    +) held=$(printf '%s\n%s' "$held" "$thing") ;;
    -) held=$(printf '%s\n' "$held" | grep -vxF -- "$thing") ;;
  esac
done

each() {
  printf '%s\n' "$held" | while read -r kind id; do
    if [ "$kind" = "$1" ]; then $2 "$id"; fi
  done
}

# Processes before the directories that they write to.
each process 'kill -KILL'
each container 'docker rm --force --volumes'
each directory 'rm -rf --'
