#!/usr/bin/env bash
# A PostgreSQL server of a test's own, in a folder of its own, on a Unix socket there.
#   tests/lib/postgres.sh start DIR [keep]  make it at the first time; prints its conninfo; keep: the folder stays
#   tests/lib/postgres.sh stop DIR [MODE]   MODE: fast (as an administrator does), immediate (as a crash)
#   tests/lib/postgres.sh standby DIR OF    a copy of the server in OF that follows it; prints its conninfo
#   tests/lib/postgres.sh promote DIR       it follows no more, and takes writes
# Server and folder (but one that is to be kept) go with the program that called this, however that ends; a
# process waits for it.
# PostgreSQL does not run as root: for root it runs as user postgres. Exit: 0 done, 77 not installed.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || exit 77
dir=$2
as() { if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi; }
folder() {
	mkdir -p "$dir"
	chmod 755 "$dir"
	[ "$(id -u)" != 0 ] || chown postgres "$dir"
}
case $1 in
start | standby)
	if [ ! -d "$dir/data" ] && [ "$1" = standby ]; then
		folder
		as "$bin/pg_basebackup" -D "$dir/data" -R -X stream -c fast -d "host=$3 port=5432 user=adyton application_name=standby"
	elif [ ! -d "$dir/data" ]; then
		folder
		as "$bin/initdb" -D "$dir/data" -A trust -U adyton -E UTF8 --no-sync --locale=C.UTF-8 >/dev/null
	fi
	as "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "-k $dir -p 5432 -c listen_addresses=" start >/dev/null
	# A kept folder may have another program's server by then: that one is not ours to stop.
	setsid bash -c 'tail --pid="$1" -f /dev/null
		[ "$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null)" != "$4" ] || "$0" stop "$2" immediate
		[ "$3" = keep ] || rm -rf "$2"' \
		"$(realpath "$0")" "$PPID" "$dir" "${3:-}" "$(as head -n 1 "$dir/data/postmaster.pid")" \
		>/dev/null 2>&1 </dev/null &
	echo "host=$dir port=5432 user=adyton dbname=postgres"
	;;
promote) as "$bin/pg_ctl" -D "$dir/data" -w -t 60 promote >/dev/null ;;
stop) as "$bin/pg_ctl" -D "$dir/data" -w -m "${3:-fast}" stop >/dev/null ;;
esac
