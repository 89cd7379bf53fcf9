# For .ci/run: the servers that the tests need, on a machine that may be new. `start_services` installs them, starts a
# Docker daemon if none runs, and provides an image of Redis; `stop_services` removes what was started. Nothing in here
# fails the run: a missing service is reported, and the tests that need it are skipped with the reason.

redis_image=redis:8-alpine
docker_folder=
dockerd_pid=
built_image=

start_services() {
  export PATH="$PATH:/usr/sbin:/sbin"
  # Testcontainers' reaper is one more image to pull; the tests remove their containers themselves, also when killed.
  export TESTCONTAINERS_RYUK_DISABLED=true
  install_packages || echo "Services: apt-get could not install them all"
  if command -v redis-server >/dev/null; then
    echo "Services: redis-server $(redis_version) is on the PATH"
  else
    echo "Services: no redis-server is on the PATH"
  fi
  if start_docker; then provide_redis_image; fi
}

# Prints nothing: the counts must stay the last line.
stop_services() {
  if [ -n "$built_image" ]; then docker image rm --force "$built_image"; fi
  if [ -n "$dockerd_pid" ]; then end_dockerd; fi
  if [ -n "$docker_folder" ]; then rm -rf "$docker_folder"; fi
  return 0
} >/dev/null 2>&1

install_packages() {
  local wanted=() sudo=
  command -v redis-server >/dev/null || wanted+=(redis-server)
  command -v redis-cli >/dev/null || wanted+=(redis-tools)
  if ! docker_answers; then
    command -v dockerd >/dev/null || wanted+=(docker.io)
    command -v iptables >/dev/null || wanted+=(iptables)
  fi
  if [ ${#wanted[@]} = 0 ]; then return 0; fi
  if ! command -v apt-get >/dev/null; then
    echo "Services: cannot install ${wanted[*]}, because apt-get is missing"
    return 0
  fi
  [ "$(id -u)" = 0 ] || sudo="sudo -n"
  echo "Services: installing ${wanted[*]} with apt-get"
  export DEBIAN_FRONTEND=noninteractive
  local options=(-qq -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=20)
  # Outdated package lists may still be good enough.
  $sudo timeout 180 apt-get "${options[@]}" update >/dev/null || true
  # Newer Debian releases have the client in a separate package.
  if [[ " ${wanted[*]} " == *" docker.io "* ]] && apt-cache show docker-cli >/dev/null 2>&1; then
    wanted+=(docker-cli)
  fi
  $sudo timeout 300 apt-get "${options[@]}" install --yes --no-install-recommends "${wanted[@]}" >/dev/null
}

redis_version() {
  redis-server --version | sed -n 's/.* v=\([^ ]*\).*/\1/p'
}

docker_answers() {
  command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# A separate daemon for this run, with its data in a temporary folder: it neither uses nor changes the machine's settings.
start_docker() {
  if docker_answers; then
    echo "Docker: a daemon answers ($(docker version --format '{{.Server.Version}}'))"
    return 0
  fi
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
    echo "Docker: no daemon answers, and dockerd is not installed: the container tests are skipped"
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "Docker: no daemon answers, and only root can start one: the container tests are skipped"
    return 1
  fi
  # Not below TMPDIR: the path of a socket may have 107 characters.
  docker_folder=$(mktemp -d /tmp/kv-docker.XXXXXX)
  # Some sandboxes lack packet filter rules, some also layered file systems.
  local plain=(--iptables=false --ip6tables=false)
  if try_dockerd || try_dockerd "${plain[@]}" || try_dockerd "${plain[@]}" --storage-driver=vfs; then
    export DOCKER_HOST="unix://$docker_folder/docker.sock"
    echo "Docker: started dockerd $(docker version --format '{{.Server.Version}}') for this run"
    return 0
  fi
  echo "Docker: dockerd does not start on this machine: the container tests are skipped. The end of its log:"
  tail -n 3 "$docker_folder/log" | cut -c 1-300 | sed 's/^/  /'
  return 1
}

try_dockerd() {
  local folder=$docker_folder
  # In a separate session, so that Ctrl-C ends the tests first; `stop_services` ends the daemon.
  setsid dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
    --host "unix://$folder/docker.sock" "$@" >"$folder/log" 2>&1 </dev/null &
  dockerd_pid=$!
  local attempt
  for attempt in $(seq 80); do
    if DOCKER_HOST="unix://$folder/docker.sock" docker_answers; then return 0; fi
    kill -0 "$dockerd_pid" 2>/dev/null || break
    sleep 0.25
  done
  end_dockerd
  return 1
}

end_dockerd() {
  kill "$dockerd_pid" 2>/dev/null || true
  local attempt
  for attempt in $(seq 60); do
    kill -0 "$dockerd_pid" 2>/dev/null || break
    sleep 0.25
  done
  kill -KILL "$dockerd_pid" 2>/dev/null || true
  wait "$dockerd_pid" 2>/dev/null || true
  dockerd_pid=
}

provide_redis_image() {
  if docker image inspect "$redis_image" >/dev/null 2>&1; then
    echo "Docker: image $redis_image is there"
  elif timeout 120 docker pull -q "$redis_image" >/dev/null 2>&1; then
    echo "Docker: image $redis_image pulled"
  elif ! command -v redis-server >/dev/null; then
    echo "Docker: image $redis_image can neither be pulled nor built, without a redis-server"
  elif build_redis_image >/dev/null; then
    built_image=$redis_image
    echo "Docker: image $redis_image cannot be pulled: in its place, an image built from $(redis_package)"
  else
    echo "Docker: image $redis_image can neither be pulled nor built"
  fi
}

redis_package() {
  echo "$(. /etc/os-release && echo "${NAME%% *}")'s redis-server $(redis_version)"
}

# Only the programs and the libraries that they link. No ENTRYPOINT, so that a container can run any command.
build_redis_image() {
  local root program file status=0
  root=$(mktemp -d)
  for program in redis-server redis-cli sh; do
    program=$(command -v "$program") || continue
    for file in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
      mkdir -p "$root$(dirname "$file")"
      cp -L "$file" "$root$file"
    done
  done
  tar -C "$root" -c . | docker import \
    -c 'CMD ["redis-server"]' -c 'ENV PATH=/usr/bin:/bin' -c 'EXPOSE 6379' \
    -c "LABEL kv.built-from=\"$(redis_package)\"" - "$redis_image" || status=$?
  rm -rf "$root"
  return "$status"
}
