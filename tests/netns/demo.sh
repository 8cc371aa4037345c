#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Shows n2n at work: a supernode and two edges on three hosts, which are network namespaces with
# directories of their own.
#
#   supernode 10.99.0.1 ----+
#   node1     10.99.0.2 ----+---- switch
#   node2     10.99.0.3 ----+
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "$here/../../build" && pwd)
megabytes=${1:-1024}
run=n2n-demo-$$
logs=$(mktemp -d)
declare -A holder
programs=()
made=()

bold='' plain=''
[[ -t 1 ]] && bold=$'\e[1m' plain=$'\e[0m'
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
die() { echo "demo: $*" >&2; exit 1; }

cleanup()
{
	trap '' INT TERM
	kill "${programs[@]}" 2>/dev/null
	wait "${programs[@]}" 2>/dev/null
	kill "${holder[@]}" 2>/dev/null
	wait 2>/dev/null
	for host in switch supernode node1 node2; do
		ip netns del "$run-$host" 2>/dev/null
	done
	rm -rf "$logs"
	((${#made[@]})) && rmdir "${made[@]}" 2>/dev/null
	echo
	echo "Everything was taken down again."
}

# on HOST COMMAND... runs it there; behind HOST LOG COMMAND... in the background. With the root of
# the host, too: below chroot, that of its mounts is another one.
on() { nsenter -t "${holder[$1]}" -n -m -r -- "${@:2}"; }
behind()
{
	: >"$logs/$2"
	nsenter -t "${holder[$1]}" -n -m -r -- "${@:3}" >"$logs/$2" 2>&1 &
	programs+=($!)
}

# start HOST COMMAND... runs it there in the background and shows the command.
start()
{
	printf '%-11s $ %s\n' "$1" "${*:2}"
	behind "$1" "$1" "$bin/$2" "${@:3}"
}

# until_says HOST TEXT
until_says()
{
	local i
	for ((i = 0; i < 100; i++)); do
		grep -q "$2" "$logs/$1" && return
		sleep 0.1
	done
	cat "$logs/$1"
	die "$1 did not say \"$2\" within 10 s"
}

make_host()
{
	local name=$1 address=$2

	ip netns add "$run-$name" || die "cannot make a network namespace"
	ip -n "$run-$name" link set lo up
	ip -n "$run-$name" link add eth0 type veth peer name "$name" netns "$run-switch"
	ip -n "$run-switch" link set dev "$name" master br0 up
	ip -n "$run-$name" addr add "$address/24" dev eth0
	ip -n "$run-$name" link set eth0 up
	ip netns exec "$run-$name" unshare -m sh -c '
		mount -t tmpfs n2n /var/lib/n2n && mount -t tmpfs n2n /run/n2n && : >"$1"
		exec sleep infinity' - "$logs/$name-ready" &
	holder[$name]=$!
	for ((i = 0; i < 100; i++)); do
		[[ -e $logs/$name-ready ]] && return
		sleep 0.05
	done
	die "cannot give host $name directories of its own"
}

ping_from() { on "$1" ping -n -c 3 -i 0.2 -w 10 "$2" | grep -E 'bytes from|packets'; }

copy()
{
	local started sent received

	behind node2 copy python3 -B "$here/traffic.py" tcp-receive 10.1.2.2 9000
	until_says copy listening
	started=$(date +%s%N)
	sent=$(on node1 python3 -B "$here/traffic.py" tcp-send 10.1.2.2 9000 "$megabytes") ||
		die "the copy failed"
	wait "${programs[-1]}"
	started=$((($(date +%s%N) - started) / 1000000))
	received=$(tail -n 1 "$logs/copy")
	echo "SHA-256 sent      $sent"
	echo "SHA-256 received  $received"
	[[ $sent == "$received" ]] || die "they differ"
	echo "equal; $megabytes MiB in $((started / 1000)).$(printf %03d $((started % 1000))) s," \
		"$((megabytes * 8389 / started)) Mbit/s"
}

((EUID == 0)) || die "network namespaces need root; run: sudo ./dev demo"
[[ -c /dev/net/tun ]] || die "there is no /dev/net/tun; load it with: modprobe tun"
for program in supernode edge n2n; do
	[[ -x $bin/$program ]] || die "there is no $bin/$program; make it with: ./dev build"
done
trap cleanup EXIT
trap 'exit 130' INT TERM

# Each host mounts its own there; what was there before stays.
for dir in /var/lib/n2n /run/n2n; do
	[[ -d $dir ]] || { mkdir "$dir" && made+=("$dir"); } || die "cannot make $dir"
done
ip netns add "$run-switch" || die "cannot make a network namespace"
ip -n "$run-switch" link add br0 type bridge
ip -n "$run-switch" link set br0 up
make_host supernode 10.99.0.1
make_host node1 10.99.0.2
make_host node2 10.99.0.3

say "Three hosts on a switch, and what is started on them"
start supernode supernode -p 7654
until_says supernode 'listening at'
start node1 edge -d n2n0 -a 10.1.2.1 -c mynetwork -k encryptme -l 10.99.0.1:7654
start node2 edge -d n2n0 -a 10.1.2.2 -c mynetwork -k encryptme -l 10.99.0.1:7654
until_says node1 'connected'
until_says node2 'connected'

say "Ping, both ways"
ping_from node1 10.1.2.2 || die "no answer from node2"
ping_from node2 10.1.2.1 || die "no answer from node1"

say "Copying $megabytes MiB over TCP through the tunnel"
copy

say "node1 \$ n2n status"
on node1 "$bin/n2n" status

say "What node1 said"
cat "$logs/node1"

say "On hosts of your own"
cat <<-END
	somewhere all can reach   supernode -p 7654
	host 1, as root           edge -d n2n0 -a 10.1.2.1 -c mynetwork -k encryptme -l SUPERNODE:7654
	host 2, as root           edge -d n2n0 -a 10.1.2.2 -c mynetwork -k encryptme -l SUPERNODE:7654
	then                      ping 10.1.2.2

	For more than a first try, make a key that nobody can guess and keep it in a file:
	  (umask 077; n2n key new mynetwork > FILE)       and give -K FILE instead of -k encryptme
END
