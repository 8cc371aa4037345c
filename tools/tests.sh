# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by ./dev: what ./dev test runs, and what it counts.

passed=0 failed=0 skipped=0
sections=() section_name='' section_start=0

# section [NAME] starts a part of the run, or only ends the last one; show_times says what each took.
section()
{
	[[ $section_name ]] &&
		sections+=("$(printf '%5d s  %s' $((SECONDS - section_start)) "$section_name")")
	section_name=${1:-} section_start=$SECONDS
	[[ $section_name ]] && echo "== $section_name"
}

show_times()
{
	section
	echo "== where the time went"
	printf '%s\n' "${sections[@]}"
	printf '%5d s  in all\n' $SECONDS
}

# record NAME STATUS [LOG] counts a check of our own; 77 is a skip, whose reason ends the log.
record()
{
	local name=$1 status=$2 log=${3:-} reason

	case $status in
	0)
		passed=$((passed + 1))
		echo "ok    $name"
		;;
	77)
		skipped=$((skipped + 1))
		reason=$([[ $log ]] && tail -n 1 "$log")
		echo "skip  $name: ${reason#skipped: }"
		;;
	*)
		failed=$((failed + 1))
		[[ $log ]] && cat "$log"
		echo "FAIL  $name (status $status)"
		;;
	esac
}

# check NAME COMMAND... runs a check of our own.
check()
{
	local name=$1 log=$scratch/check.log
	shift

	"$@" >"$log" 2>&1
	record "$name" $? "$log"
}

declare -A running=() running_log=() # name and log of the checks that run, by process

# check_beside NUMBER NAME COMMAND... starts a program as a check, as soon as fewer than so many run.
check_beside()
{
	local number=$1 name=$2 log
	shift 2

	while ((${#running[@]} >= number)); do
		end_check
	done
	log=$(mktemp -p "$scratch")
	"$@" >"$log" 2>&1 &
	running[$!]=$name running_log[$!]=$log
}

# end_check waits for one of those and records it; end_checks for all.
end_check()
{
	local pid status

	wait -n -p pid
	status=$?
	record "${running[$pid]}" $status "${running_log[$pid]}"
	unset "running[$pid]" "running_log[$pid]"
}

end_checks()
{
	while ((${#running[@]} > 0)); do
		end_check
	done
}

skip()
{
	echo "$1"
	return 77
}

# run_tests DIRECTORY [TEST or OPTION of meson test...] runs tests that Meson knows, and counts them.
run_tests()
{
	local dir=$1 results p f s
	shift

	rm -f "$dir/meson-logs/testlog.json"
	meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier 3 "$@" |
		grep -v '^$' || true
	if results=$(tools/count-results.py "$dir/meson-logs/testlog.json"); then
		sed '$d' <<<"$results"
		read -r p f s <<<"${results##*$'\n'}"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	else
		record "results of $dir" 1
	fi
}

# build_suite NAME DIRECTORY COMPILER OPTION... builds all of them.
build_suite()
{
	local name=$1 dir=$2
	shift

	section "$name"
	setup "$@" && compile "$dir" && return
	record "build of $name" 1
	return 1
}

# What has threads, under the thread sanitizer: the programs too, over a real network.
thread_suite()
{
	local dir=build/test-tsan
	local names=(queue fdb_threads pieces_threads table_epochs view_epochs churn poll udp worker)

	section "clang with TSan"
	if setup $dir clang "$@" -Db_sanitize=thread && compile $dir src/edge/edge \
		src/supernode/supernode src/ctl/n2n "${names[@]/#/tests/unit/test_}"; then
		run_tests $dir "${names[@]}"
		use_programs $dir
		check_beside 2 "netns/test-basic.py with TSan" "${limit[@]}" tests/netns/test-basic.py
		check_beside 2 "netns/test-basic.py with TSan and two workers" \
			env N2N_WORKERS=2 "${limit[@]}" tests/netns/test-basic.py
		end_checks
	else
		record "build with TSan" 1
	fi
}

format_check()
{
	find src tests bench -name '*.[ch]' -print0 |
		xargs -0 -P "$(nproc)" -n 16 clang-format --dry-run -Werror ||
		{
			echo "not in our format; run clang-format -i on these files"
			return 1
		}
}

# Instructions per frame in the core, beside those on record.
instruction_check()
{
	compile build/test-gcc bench/packet_path tests/sim/packet_flood &&
		bench/check-instructions.py build/test-gcc
}

static_checks()
{
	section "static checks"
	check layers tools/check-layers.py
	check "circles of calls" tools/check-calls.py
	check "tests of the checks" tests/tools/test-checks.py
	check "tests of mutation" tests/tools/test-mutate.py
	check "explanations of mutants" tools/mutate.py --check
	check sizes tools/check-size.py
	check words tools/check-words.py
	check format format_check
}

# use_programs DIRECTORY tells the scripts which programs to test.
use_programs()
{
	export EDGE=$PWD/$1/src/edge/edge SUPERNODE=$PWD/$1/src/supernode/supernode
	export N2N=$PWD/$1/src/ctl/n2n ATTACKER=$PWD/$1/tests/attack/attacker
}

limit=(timeout --foreground -k 10 300)
# These mostly wait. The others want the processors for themselves, as they measure or lose nothing.
waiting=(addresses bench communities lifecycle paths quiet restarts basic secrecy watched)

# What was there before the offloads has to work without any of them, too.
netns_tests()
{
	local name script

	section "network namespaces, side by side"
	use_programs build/test-gcc
	for name in "${waiting[@]}"; do
		check_beside 4 "netns/test-$name.py" "${limit[@]}" "tests/netns/test-$name.py"
		[[ $name == bench ]] ||
			check_beside 4 "netns/test-$name.py without offloads" \
				env N2N_DISABLE=uso,tso,gso,gro,vnethdr,ipsec-mb \
				"${limit[@]}" "tests/netns/test-$name.py"
	done
	end_checks
	section "network namespaces, one by one"
	for script in tests/netns/test-*; do
		name=${script##*/test-}
		[[ " ${waiting[*]} " == *" ${name%.py} "* ]] ||
			check "${script#tests/}" "${limit[@]}" "$script"
	done
}

# A part of the attacks; all of them take a quarter of an hour.
attack_tests()
{
	section "attacks"
	use_programs build/test-gcc
	"${limit[@]}" tests/attack/run.py --quick
	record attacks $?
}

# test_attack [OPTION...]: programs given by EDGE, SUPERNODE and N2N are attacked as they are.
test_attack()
{
	need "${test_packages[@]}"
	[[ ${EDGE:-} && ${SUPERNODE:-} && ${N2N:-} ]] || cmd_build
	setup build/test-gcc gcc && compile build/test-gcc tests/attack/attacker ||
		die "the attacker was not built"
	ATTACKER=$PWD/build/test-gcc/tests/attack/attacker tests/attack/run.py "$@"
}

# The first commands of README.md, where nothing is installed.
bare_check()
{
	local name="./dev demo and ./dev build on a bare Debian 12"

	section "bare Debian 12"
	if [[ ${N2N_BARE:-} ]]; then
		check "$name" skip "this is a bare system already"
	elif ((EUID != 0)); then
		check "$name" skip "a system of its own needs root"
	else
		need debootstrap git
		check_beside 1 "$name" tools/bare.sh "./dev demo" "./dev build"
		end_checks
	fi
}

test_all()
{
	local werror=false

	[[ ${CI:-} == true ]] && werror=true
	need "${test_packages[@]}"
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
	# The simulator does the same whichever compiler; its long runs are for the one that sees most.
	build_suite "gcc" build/test-gcc gcc -Dwerror=$werror &&
		run_tests build/test-gcc --no-suite long
	build_suite "clang with ASan and UBSan" build/test-asan clang -Dwerror=$werror \
		-Db_sanitize=address,undefined && run_tests build/test-asan
	thread_suite -Dwerror=$werror
	static_checks
	check "instructions per frame" instruction_check
	netns_tests
	attack_tests
	bare_check
	show_times
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0 && passed > 0))
}

# Both commands of README.md and CONTRIBUTING.md from nothing to their end.
test_bare()
{
	((EUID == 0)) && need debootstrap git
	tools/bare.sh "./dev demo" "./dev test" &
	wait $!
}
