# Crate borders: which crates of ours a crate may stand on, and where each heavy library is at home. Sourced, not run.
# Dependencies of tests are free.

# The arrows of docs/ARCHITECTURE.md.
arrows() {
  case "$1" in
    model) ;;
    wire | storage | engine) echo model ;;
    director) echo model storage wire ;;
    credentials) echo model storage ;;
    webhook-gateway) echo model engine ;;
    outgoing-dispatcher) echo model engine storage ;;
    server) echo model wire storage engine director credentials webhook-gateway outgoing-dispatcher ;;
    *) echo none ;;
  esac
}

home_of() {
  case "$1" in
    jsonschema) echo model ;;
    sqlx | sqlx-*) echo storage ;;
    async-nats | prost | prost-* | protox | tonic | tonic-*) echo wire ;;
    # Resolved Integrations in one, checked signatures in the other.
    quick_cache) echo credentials wire ;;
    full_moon | mlua | reqwest | rustls | webpki-roots | ipnet) echo engine ;;
    async-graphql | async-graphql-*) echo director ;;
    jsonwebtoken) echo credentials ;;
    h2) echo wire ;;
    # What becomes of a call between roles is told by hyper's errors.
    hyper) echo server wire ;;
    clap | figment | include_dir | tracing-subscriber | hyper-util | tokio-rustls | anyhow) echo server ;;
  esac
}

check_borders() {
  local crate folder package direct name home broken=0
  for folder in crates/*/; do
    crate=$(basename "$folder")
    package=tidegate-$crate
    [ "$crate" = server ] && package=tidegate
    direct=$(cargo tree --locked -p "$package" --depth 1 --edges normal,build --prefix none --target all | tail -n +2 | cut -d ' ' -f 1)
    [ -n "$direct" ] || continue
    while read -r name; do
      if [[ $name == tidegate-* ]]; then
        [[ " $(arrows "$crate") " == *" ${name#tidegate-} "* ]] || {
          say "crates/$crate must not stand on ${name#tidegate-}"
          broken=1
        }
      else
        home=$(home_of "$name")
        [ -z "$home" ] || [[ " $home " == *" $crate "* ]] || {
          say "crates/$crate must not name $name: its home is $home"
          broken=1
        }
      fi
    done <<<"$direct"
  done
  return "$broken"
}
