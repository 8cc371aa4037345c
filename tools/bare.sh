#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs commands in a clone of this repository below /root of a bare Debian 12 (minbase and git), one
# after the other, and says how long each took: tools/bare.sh COMMAND...
#
# Whatever is mounted, made or started there is in namespaces of its own, which end with this script
# however it ends.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
suite=bookworm
default_mirror=http://deb.debian.org/debian

die()
{
	echo "bare: $1" >&2
	exit "${2:-1}"
}

# Where apt of this machine finds the suite: lines "URI SUITE COMPONENT"; none on another system.
apt_sources()
{
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
		grep -E " $suite(-updates|-security)? " | sort -u
}

# How it gets there.
apt_settings()
{
	apt-config dump 2>/dev/null | grep -v -i auto-detect |
		grep -E '^Acquire::((https?|ftp|Retries|ForceIPv[46])\b|Check-(Valid-Until|Date))'
}

# make_root ROOT
make_root()
{
	local root=$1 sources mirror proxy=''

	sources=$(apt_sources)
	mirror=$(awk -v suite=$suite '$2 == suite { print $1; exit }' <<<"$sources")
	eval "$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null)"
	[[ $proxy ]] && export http_proxy=${http_proxy:-$proxy}
	debootstrap --variant=minbase --include=git $suite "$root" \
		"${mirror:-$default_mirror}" >"$root.log" 2>&1 || {
		tail -n 20 "$root.log" >&2
		die "debootstrap failed"
	}
	[[ $mirror ]] && sed 's/^/deb /' <<<"$sources" >"$root/etc/apt/sources.list"
	apt_settings >"$root/etc/apt/apt.conf.d/90host"
}

# enter ROOT makes what a running system has, and that the root of all that follows. Below a mere
# chroot, paths that cross mount namespaces are others than on a system.
enter()
{
	local root=$1

	mount --bind "$root" "$root" &&
		mount -t proc proc "$root/proc" &&
		mount -t sysfs sysfs "$root/sys" &&
		mkdir "$root/dev/net" &&
		cp -a /dev/net/tun "$root/dev/net/tun" &&
		cd "$root" &&
		pivot_root . mnt &&
		umount -l /mnt || die "cannot set up $root"
}

# try COMMAND
try()
{
	local start=$SECONDS status

	echo "bare: \$ $1"
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		TERM="${TERM:-dumb}" ${http_proxy:+http_proxy="$http_proxy"} N2N_BARE=1 \
		bash -c "cd /root/n2n && $1"
	status=$?
	times+=("$(printf '%5d s  %s' $((SECONDS - start)) "$1")")
	((status == 0)) || times[-1]+="  FAILED (status $status)"
	return $status
}

# inside ROOT COMMAND... is what runs in the namespaces.
inside()
{
	local root=$1 command bad=0 start=$SECONDS times=() pid
	shift

	# /proc is still that of the outer namespace, and so is this number.
	read -r pid _ </proc/self/stat
	echo "$pid" >"${root%/*}/pid"
	echo "bare: making a Debian 12 with nothing but git"
	make_root "$root"
	git clone -q --no-hardlinks "$here" "$root/root/n2n" || die "cannot clone $here"
	enter "$root"
	times+=("$(printf '%5d s  debootstrap' $((SECONDS - start)))")
	for command; do
		try "$command" || bad=1
	done
	printf 'bare: %s\n' "${times[@]}"
	return $bad
}

# End of what was started in the namespaces, of their mounts, and of the folder.
clean_up()
{
	trap '' INT TERM HUP
	if [[ $child ]]; then
		# All there end with the first of them, and unshare waits for that.
		kill -KILL "$(cat "$folder/pid" 2>/dev/null || echo "$child")" 2>/dev/null
		wait "$child" 2>/dev/null
	fi
	rm -rf --one-file-system "$folder"
}

if [[ ${1:-} == --inside ]]; then
	exec 2>&3 3>&-
	inside "${@:2}"
	exit
fi

(($# > 0)) || die "no command is given" 2
((EUID == 0)) || die "a system of its own needs root; run: sudo ./dev test bare"
for program in debootstrap git; do
	command -v $program >/dev/null || die "$program is missing; run: apt-get install $program"
done
[[ -c /dev/net/tun ]] || die "there is no /dev/net/tun; load it with: modprobe tun"
[[ -z $(git -C "$here" status --porcelain) ]] ||
	echo "bare: what is not committed is not part of it" >&2

child=
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/n2n-bare-XXXXXX") || exit 1
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
mkdir "$folder/root"
# As a job of its own it does not inherit ignored signals; it dies with this shell. unshare complains
# when it is to end by the signal that ended what it started.
set -m
setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child \
	"${BASH_SOURCE[0]}" --inside "$folder/root" "$@" </dev/null 3>&2 2>"$folder/unshare.log" &
child=$!
set +m
wait "$child"
status=$?
child=
[[ -e $folder/pid ]] || cat "$folder/unshare.log" >&2
exit $status
