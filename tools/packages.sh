# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by ./dev: which packages building and testing take, and how they come in. $scratch is a
# directory for temporary files.

# Names of Debian 12. What is only recommended does not come in, so libc6-dev is named, and make,
# with which gcc links in parallel.
build_packages=(meson ninja-build gcc libc6-dev make pkg-config libsodium-dev libssl-dev libuv1-dev
	libmnl-dev libcap-ng-dev libjansson-dev uthash-dev)
# The fastest packet ciphers, to build with and to run; there are none but for x86-64.
if [[ $(dpkg --print-architecture 2>/dev/null) == amd64 ]]; then
	build_packages+=(libipsec-mb-dev libipsec-mb1)
fi
test_packages=("${build_packages[@]}" clang clang-format libclang-rt-14-dev libcmocka-dev
	universal-ctags python3 iproute2 iputils-ping iperf3 tcpdump nftables ethtool procps
	valgrind dnsmasq-base udhcpc dhcpcd-base isc-dhcp-client dbus-daemon avahi-daemon
	avahi-utils minissdpd)
demo_packages=(python3 iproute2 iputils-ping)
bench_packages=(python3 iproute2 iputils-ping iperf3 tcpdump nftables ethtool procps)
# What the bench compares with, if it is there.
peer_packages=(n2n tinc fastd nebula openvpn openssl wireguard-go wireguard-tools)

# as_root COMMAND...
as_root()
{
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

apt_install()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends "$@"
}

# need PACKAGE... installs what is missing, on systems that have dpkg.
need()
{
	local missing=() package log

	command -v dpkg >/dev/null || return 0
	for package; do
		dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' ||
			missing+=("$package")
	done
	((${#missing[@]} == 0)) && return 0
	if ((EUID != 0)) && ! command -v sudo >/dev/null; then
		die "missing packages; as root run: apt-get install ${missing[*]}"
	fi
	echo "dev: installing ${missing[*]}"
	log=$scratch/packages.log
	if ! { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null &&
		apt_install "${missing[@]}"; } >"$log" 2>&1; then
		{ as_root apt-get update -qq && apt_install "${missing[@]}"; } >>"$log" 2>&1 || {
			cat "$log" >&2
			die "cannot install ${missing[*]}"
		}
	fi
}
