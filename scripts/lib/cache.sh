# What is installed once per machine: from a list of exact versions, into a folder named after the list. Sourced, not run.

# cached NAME LIST COMMAND...: prints the folder; the command fills it, called with an empty folder as its last argument.
cached() {
  local name=$1 list=$2 folder
  shift 2
  folder=${XDG_CACHE_HOME:-$HOME/.cache}/tidegate/$name-$(sha256sum <"$list" | head -c 16)
  if [ ! -e "$folder" ]; then
    mkdir -p "$(dirname "$folder")"
    rm -rf "$folder.$$"
    mkdir "$folder.$$"
    "$@" "$folder.$$" >&2 || fail "could not install what $list names"
    # Whoever is first has made it; a second one's copy is as good.
    mv -T "$folder.$$" "$folder" 2>/dev/null || rm -rf "$folder.$$"
  fi
  echo "$folder"
}
