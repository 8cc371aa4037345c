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

# run_tests DIRECTORY [TEST...] runs tests that Meson knows, and counts them.
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

# suite NAME DIRECTORY COMPILER OPTION... builds and runs all of them.
suite()
{
	local name=$1 dir=$2
	shift

	section "$name"
	if setup "$@" && compile "$dir"; then
		run_tests "$dir"
	else
		record "build of $name" 1
	fi
}

# What has threads, under the thread sanitizer: the programs too, over a real network.
thread_suite()
{
	local dir=build/test-tsan names=(queue view_epochs poll udp worker)

	section "clang with TSan"
	if setup $dir clang "$@" -Db_sanitize=thread && compile $dir src/edge/edge \
		src/supernode/supernode src/ctl/n2n "${names[@]/#/tests/unit/test_}"; then
		run_tests $dir "${names[@]}"
		use_programs $dir
		check "netns/test-basic.py with TSan" timeout -k 10 300 tests/netns/test-basic.py
		check "netns/test-basic.py with TSan and two workers" \
			env N2N_WORKERS=2 timeout -k 10 300 tests/netns/test-basic.py
	else
		record "build with TSan" 1
	fi
}

format_check()
{
	local file bad=0

	while read -r -d '' file; do
		clang-format --dry-run -Werror "$file" 2>/dev/null && continue
		echo "$file: not in our format; run clang-format -i $file"
		bad=1
	done < <(find src tests -name '*.[ch]' -print0 | sort -z)
	return $bad
}

# Instructions per frame in the core, beside those on record.
instruction_check()
{
	compile build/test-gcc bench/packet_path && bench/check-instructions.py build/test-gcc
}

static_checks()
{
	section "static checks"
	check layers tools/check-layers.py
	check sizes tools/check-size.py
	check format format_check
}

# use_programs DIRECTORY tells the scripts which programs to test.
use_programs()
{
	export EDGE=$PWD/$1/src/edge/edge SUPERNODE=$PWD/$1/src/supernode/supernode
	export N2N=$PWD/$1/src/ctl/n2n
}

# The scripts have their own time limit.
netns_tests()
{
	local script

	section "network namespaces"
	use_programs build/test-gcc
	for script in tests/netns/test-*; do
		# Without any script this is the pattern itself, and fails as well.
		if [[ -x $script ]]; then
			check "${script#tests/}" timeout -k 10 300 "$script"
		else
			echo "$script: not there, or not executable"
			record "${script#tests/}" 1
		fi
	done
}

# What was there before the offloads has to work without any of them.
fallback_tests()
{
	local name

	section "network namespaces, without offloads"
	for name in basic communities lifecycle paths restarts secrecy; do
		check "netns/test-$name.py without offloads" \
			env N2N_DISABLE=uso,tso,gso,gro,vnethdr,ipsec-mb \
			timeout -k 10 300 "tests/netns/test-$name.py"
	done
}

test_all()
{
	local werror=false

	[[ ${CI:-} == true ]] && werror=true
	need "${test_packages[@]}"
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
	suite "gcc" build/test-gcc gcc -Dwerror=$werror
	suite "clang with ASan and UBSan" build/test-asan clang -Dwerror=$werror \
		-Db_sanitize=address,undefined
	thread_suite -Dwerror=$werror
	static_checks
	check "instructions per frame" instruction_check
	netns_tests
	fallback_tests
	show_times
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0 && passed > 0))
}
