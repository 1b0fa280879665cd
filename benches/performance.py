#!/usr/bin/env python3
"""Everything that docs/performance.md states, measured on this machine in one run: prints its table. Takes half an hour;
leave the machine alone meanwhile.

    python3 benches/performance.py [--rounds N]

The benchmarks that it runs, and `benches/builds.py`, can be run one by one as well.
"""

import argparse, datetime, os, platform, re, statistics, subprocess, sys, time

sys.dont_write_bytecode = True  # The repository stays as it is.
import builds
from builds import ROOT, median, row


def cargo(*arguments):
    print("running: cargo", *arguments, file=sys.stderr, flush=True)
    run = subprocess.run(["cargo", *arguments], cwd=ROOT, env=builds.ENV, text=True, stdout=subprocess.PIPE)
    if run.returncode:
        sys.exit(f"cargo {' '.join(arguments)} failed:\n{run.stdout}")
    return run.stdout


def bench(name):
    return cargo("bench", "--locked", "-p", "genauth-benches", "--bench", name)


def found(pattern, text):
    match = re.search(pattern, text) or sys.exit(f"no /{pattern}/ in:\n{text}")
    return [float(number.replace(",", "")) for number in match.groups()]


SPREAD = r"\s+([\d.]+) \(([\d.]+) to ([\d.]+)\)"


def call():
    text = bench("call")
    ratio, low, high, bare = found("one after the other" + SPREAD + r"; bare: ([\d.]+)", text)
    row("uncached call, one after the other, beside bare reqwest: time", f"{bare * ratio:.1f} µs", f"{bare:.1f} µs",
        f"{ratio:.3f} ({low:.3f} to {high:.3f})", "<= 1.03", ratio <= 1.03)
    ratio, low, high, bare = found("64 at once" + SPREAD + r"; bare: ([\d.]+)", text)
    row("uncached calls, 64 at once, beside bare reqwest: throughput", f"{1e3 / bare / ratio:.1f} thousand a second",
        f"{1e3 / bare:.1f} thousand a second", f"{1 / ratio:.3f} ({1 / high:.3f} to {1 / low:.3f})", ">= 0.97",
        1 / ratio >= 0.97)
    ours, bare, more = found(r"allocations a call\s+([\d.]+), bare: ([\d.]+), more: ([-\d.]+)", text)
    row("allocations of an uncached call, beside bare reqwest", f"{ours:.0f}", f"{bare:.0f}", f"{more:+.0f}", "<= +6",
        more <= 6)


def instructions():
    text = bench("instructions")
    if "instructions a call" not in text:
        return
    ratio, ours, bare = found(r"instructions a call\s+([\d.]+) of bare reqwest; (\d+), bare: (\d+)", text)
    row("instructions of an uncached call, beside bare reqwest", f"{ours:.0f}", f"{bare:.0f}", f"{ratio:.3f}",
        "<= 1.02, guard: <= 1.03", ratio <= 1.02)
    get, = found(r"instructions a token\s+(\d+)", text)
    row("instructions of a fresh `get`", f"{get:.0f}", "", "", "guard: <= 300", get <= 300)


def divan(text, name, line, unit):
    """Fastest, median and slowest of a benchmark's line, in that unit."""
    units = {"ns": 1.0, "µs": 1e3, "ms": 1e6}
    after = text[text.index(f"─ {name} "):]
    fastest, slowest, middle = re.findall(r"([\d.]+) (ns|µs|ms)", after[after.index(line):])[:3]
    fastest, slowest, middle = (float(number) * units[of] / units[unit] for number, of in (fastest, slowest, middle))
    return middle, fastest, slowest


def token_cache():
    text = bench("token_cache")
    # A sample is a thousand calls.
    one, all_cores, clock = (divan(text, *which, "µs") for which in
                             (("get_by_handle", "t=1"), ("get_by_handle", f"t={os.cpu_count()}"), ("clock", "t=1")))
    shown = lambda times: "{:.1f} ns ({:.1f} to {:.1f})".format(*times)
    row("fresh `get`, one thread; beside it, the system's exact clock", shown(one), shown(clock), "", "<= 30 ns",
        one[0] <= 30)
    ratio = all_cores[0] / one[0]
    row("fresh `get` on all cores, one app, beside one thread", shown(all_cores), shown(one), f"{ratio:.2f}", "<= 2",
        ratio <= 2)
    text = bench("cold_cache")
    ratio, low, high, one = found("until all have it" + SPREAD + r"; one: ([\d.]+)", text)
    requests, = found(r"requests a round\s+(\d+)", text)
    row("cold cache, 10,000 callers, beside one: until all have it", f"{one * ratio:.0f} ms, {requests:.0f} request",
        f"{one:.0f} ms", f"{ratio:.3f} ({low:.3f} to {high:.3f})", "<= 1.2, 1 request", ratio <= 1.2 and requests == 1)


def signature():
    text = bench("signature")
    shown = lambda times: "{:.2f} µs ({:.2f} to {:.2f})".format(*times)
    before, hmac = divan(text, "text", "text", "µs"), divan(text, "hmac", "hmac", "µs")
    row("signature of 1 KiB: what comes before the HMAC; beside it, the HMAC", shown(before), shown(hmac), "",
        "<= 3 µs", before[0] <= 3)


def demo():
    cargo("build", "--locked", "--release", "-p", "genauth-cli")
    seconds = []
    for _ in range(41):
        start = time.perf_counter()
        process = subprocess.Popen([ROOT / "target/release/genauth", "token", "--demo"], stdout=subprocess.PIPE)
        said = process.stdout.read(1) + process.stdout.readline()
        seconds.append((time.perf_counter() - start) * 1e3)
        process.stdout.read()
        if process.wait() or not said:
            sys.exit("`genauth token --demo` failed")
    # Of the largest child so far, compilers included; so it runs once more below one that has only this.
    peak = subprocess.run([sys.executable, "-c", PEAK, str(ROOT / "target/release/genauth")], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    mebibytes = int(peak) / 1024
    row("`genauth token --demo`: start to token; peak memory", median(seconds[1:], "{:.1f} ms"), "",
        f"{mebibytes:.1f} MiB", "<= 15 ms, <= 20 MiB", statistics.median(seconds[1:]) <= 15 and mebibytes <= 20)


PEAK = """
import resource, subprocess, sys
subprocess.run([sys.argv[1], "token", "--demo"], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def machine():
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read()) if os.path.exists("/proc/cpuinfo") else None
    said = lambda *command: subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return (f"{datetime.date.today()}, commit {said('git', 'rev-parse', '--short', 'HEAD')}, {said('rustc', '--version')}, "
            f"{os.cpu_count()} cores of {cpu.group(1) if cpu else platform.processor()}, {memory} GiB, "
            f"{platform.system()} {platform.release()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of cold builds")
    options = parser.parse_args()
    for part in (call, instructions, token_cache, signature, demo):
        part()
    right = builds.measure(builds.PARTS, options.rounds)
    print(f"Measured by `python3 benches/performance.py`: {machine()}.\n")
    builds.table()
    sys.exit(None if right else "the build script ran another number of times than it should")


if __name__ == "__main__":
    main()
