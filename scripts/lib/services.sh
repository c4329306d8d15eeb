# Temporary PostgreSQL and nats-server on loopback. Sourced, not run.

say() { echo "$*" >&2; }
fail() { say "$*"; exit 1; }

# Whether a process is running; one that only waits to be reaped is not.
alive() {
  if [ -r "/proc/$1/stat" ]; then
    case "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)" in Z* | "") return 1 ;; *) return 0 ;; esac
  fi
  [ ! -d /proc/self ] && kill -0 "$1" 2>/dev/null
}

# wait_until SECONDS COMMAND...: repeats the command until it succeeds.
wait_until() {
  local tries=$(($1 * 10))
  shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

gone() { ! alive "$1"; }

# stop_process PIDFILE [SIGNAL] [SECONDS]: asks the process to stop, insists after a while.
stop_process() {
  local pid
  pid=$(head -n 1 "$1" 2>/dev/null) || return 0
  [ -n "$pid" ] && alive "$pid" || return 0
  kill -s "${2:-TERM}" "$pid" 2>/dev/null || return 0
  wait_until "${3:-20}" gone "$pid" || kill -s KILL "$pid" 2>/dev/null || true
}

postgres_bin() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$found" ] && [ -x "$found/initdb" ]; then
    echo "$found"
  elif command -v pg_ctl >/dev/null; then
    dirname "$(command -v pg_ctl)"
  else
    return 1
  fi
}

nats_program() {
  if [ -n "${TIDEGATE_TEST_NATS_SERVER:-}" ]; then
    echo "$TIDEGATE_TEST_NATS_SERVER"
  else
    command -v nats-server || { [ -x /usr/sbin/nats-server ] && echo /usr/sbin/nats-server; }
  fi
}

# install_packages PACKAGE...: from Debian's packages, without the services that these would start by themselves.
install_packages() {
  local root=()
  [ "$#" -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing: $*; install them and start again"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "missing: $*; install them as root: apt-get install $*"
    root=(sudo)
  fi
  say "installing $*"
  {
    "${root[@]}" apt-get update -q
    if [[ " $* " == *" postgresql "* ]]; then
      "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql-common
      "${root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    fi
    # At runlevel 1 no package starts its service.
    "${root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  } >&2 || fail "apt-get could not install $*"
}

# Installs what the servers need.
install_services() {
  local missing=()
  nats_program >/dev/null || missing+=(nats-server)
  postgres_bin >/dev/null || missing+=(postgresql)
  install_packages "${missing[@]}"
}

# browser: prints where Chromium is; installs it first, where it is not.
browser() {
  command -v chromium || { install_packages chromium >&2 && command -v chromium; }
}

# faketime: prints the library that gives a process another clock; installs it first, where it is not.
faketime() {
  local found
  found=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
  [ -n "$found" ] || { install_packages libfaketime >&2 && found=$(find /usr/lib -name libfaketimeMT.so.1 | head -n 1); }
  echo "$found"
}

# PostgreSQL refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

# start_postgres DIR [durable]: prints the URL of its superuser. What is in it need not outlive the machine, so it does not wait for the disk
# unless that is what is measured.
start_postgres() {
  local dir=$1/postgres bin port disk="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
  [ "${2:-}" != durable ] || disk=
  bin=$(postgres_bin)
  mkdir -p "$dir"
  if [ "$(id -u)" = 0 ]; then
    chmod 711 "$1"
    chown postgres: "$dir"
  fi
  (cd / && as_postgres "$bin/initdb" -D "$dir/data" -U tidegate -A trust -E UTF8 --locale=C --no-sync) >"$1/initdb.log" 2>&1 ||
    fail "initdb failed: $(tail -n 3 "$1/initdb.log")"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    port=$((20000 + RANDOM % 12000))
    if (cd / && as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 30 -o "-p $port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c max_connections=400 $disk" start) \
      >"$1/pg_ctl.log" 2>&1; then
      echo "postgres://tidegate@127.0.0.1:$port/postgres"
      return 0
    fi
  done
  fail "PostgreSQL did not start: $(tail -n 3 "$dir/log" 2>/dev/null)"
}

nats_url_of() { sed -n 's/.*"nats": *\[ *"\([^"]*\)".*/\1/p' <(tr -d '\n\t' <"$1") | grep nats; }

# start_nats DIR: prints its URL.
start_nats() {
  local dir=$1/nats ports
  mkdir -p "$dir"
  setsid "$(nats_program)" -a 127.0.0.1 -p -1 -js -sd "$dir" -P "$dir/pid" -l "$dir/log" --ports_file_dir "$dir" \
    </dev/null >/dev/null 2>&1 &
  wait_until 20 test -s "$dir/pid" || fail "nats-server did not start: $(tail -n 3 "$dir/log" 2>/dev/null)"
  ports=$dir/nats-server_$(cat "$dir/pid").ports
  wait_until 20 nats_url_of "$ports" || fail "nats-server does not listen: $(tail -n 3 "$dir/log" 2>/dev/null)"
  nats_url_of "$ports"
}

stop_services() {
  stop_process "$1/nats/pid" TERM
  stop_process "$1/postgres/data/postmaster.pid" INT
}
