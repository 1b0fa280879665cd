#!/usr/bin/env python3
"""What the crate costs to build, beside what one would write instead. Prints a Markdown table.

    python3 benches/builds.py [--rounds N] [--only cold rerun description generation groups binary]

It measures cargo's defaults: what the environment sets of a profile, flags or a target is cleared. What cargo has not
got is fetched first, and all builds are offline. Whatever is compared is measured in turns, so that what else the
machine does befalls both; the ratio or difference is that of one round, and its median is printed with the least and
the most. Times never make it fail; a build script that runs again does.
"""

import argparse, json, os, pathlib, re, shutil, statistics, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True  # The repository stays as it is.
from synthetic import synthetic

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ["cold", "rerun", "description", "generation", "groups", "binary"]
OPERATIONS = [150, 300, 600]
# With a build folder of somebody else's, cold builds are not cold; CI counts runs of the build script in one.
KEPT = ("CARGO_HOME", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_BUILD_BUILD_DIR", "CARGO_PROFILE_DEV_DEBUG")
ENV = {name: value for name, value in os.environ.items()
       if name.startswith(KEPT) or not name.startswith(("CARGO_", "RUSTC", "RUSTFLAGS", "RUSTDOC"))}

MAIN = "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() -> Result<(), %s> {\n%s    Ok(())\n}\n"
OURS = "use genauth::{Client, types::GetWechatAccessTokenDto};\n" + MAIN % ("genauth::Error", """\
    let client = Client::builder("https://example.genauth.ai").app("app", "secret").build()?;
    let app = GetWechatAccessTokenDto::builder().app_id("wx").app_secret("s");
    let token = client.get_wechat_mp_access_token_info().body(app).send().await?;
    println!("{}", token.access_token.expose_secret());
""")
BARE = """\
use serde::{Deserialize, Serialize};
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> { app_id: &'a str, app_secret: &'a str }
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope { status_code: i64, data: Option<Token> }
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token { access_token: String, expires_at: i64 }
""" + MAIN % ("Box<dyn std::error::Error>", """\
    let url = "https://example.genauth.ai/api/v3/get-wechat-access-token-info";
    let request = reqwest::Client::new().post(url).header("x-genauth-app-id", "app");
    let answer = request.json(&Request { app_id: "wx", app_secret: "s" }).send().await?.bytes().await?;
    let envelope: Envelope = serde_json::from_slice(&answer)?;
    let token = envelope.data.filter(|_| envelope.status_code == 200).ok_or("no token")?;
    println!("{} {}", token.access_token, token.expires_at);
""")
PROVIDER = "    let _ = rustls::crypto::ring::default_provider().install_default();\n"
FLOOR = BARE.replace("    let url", PROVIDER + "    let url")

TOKIO = 'tokio = { version = "1", default-features = false, features = ["macros", "rt"] }\n'
SERDE = 'serde = { version = "1", features = ["derive"] }\nserde_json = "1"\n' + TOKIO
GENAUTH = "genauth = { path = '%s'%s }\n" + TOKIO
OUR_TLS = """\
reqwest = { version = "0.13", default-features = false, features = ["json", "system-proxy", "rustls-no-provider"] }
rustls = { version = "0.23", default-features = false, features = ["std", "tls12", "ring"] }
""" + SERDE
GENERATOR = """
[build-dependencies]
openapiv3 = "2.2"
prettyplease = "0.3"
progenitor = { version = "0.15", default-features = false }
"""
BUILD = """\
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let _ = (progenitor::Generator::default(), prettyplease::unparse, openapiv3::OpenAPI::default());
}
"""


class Program:
    """A crate outside the repository, with a target of its own and the versions of the repository's lock."""

    def __init__(self, folder, name, main, dependencies, build=None):
        self.name, self.folder = name, folder / name.replace(" ", "-")
        self.target, self.main = self.folder / "target", self.folder / "src/main.rs"
        self.main.parent.mkdir(parents=True)
        self.main.write_text(main)
        manifest = f'[package]\nname = "program"\nedition = "2024"\n[workspace]\n[dependencies]\n{dependencies}'
        (self.folder / "Cargo.toml").write_text(manifest)
        if build:
            (self.folder / "build.rs").write_text(build)
        # cargo drops from it what the program does not need.
        shutil.copy(ROOT / "Cargo.lock", self.folder)
        self.cargo("fetch")

    def cargo(self, *arguments, **options):
        run = subprocess.run(["cargo", *arguments], cwd=self.folder, env=ENV, text=True, capture_output=True, **options)
        if run.returncode:
            sys.exit(f"{self.name}: cargo {' '.join(arguments)}\n{run.stdout}{run.stderr}")
        return run

    def build(self, *options):
        start = time.perf_counter()
        run = self.cargo("build", "--offline", "--locked", *options)
        return time.perf_counter() - start, run

    def cold(self):
        shutil.rmtree(self.target, ignore_errors=True)
        return self.build()[0]

    def script_runs(self):
        """How often a build runs the crate's build script."""
        lines = self.build("--verbose")[1].stderr.splitlines()
        return sum(bool(re.search("Running.*/build/genauth[-/].*build-script-build", line)) for line in lines)

    def script(self):
        """The crate's build script, compiled."""
        messages = map(json.loads, self.build("--message-format=json")[1].stdout.splitlines())
        return next(message["filenames"][0] for message in messages if message["reason"] == "compiler-artifact"
                    and message["target"]["kind"] == ["custom-build"] and "genauth" in message["package_id"])


ROWS = []


def row(what, ours, beside, compared, goal="", met=""):
    ROWS.append((what, ours, beside, compared, goal, met if isinstance(met, str) else "yes" if met else "**no**"))
    print("measured:", *(cell for cell in ROWS[-1] if cell), sep=" | ", file=sys.stderr, flush=True)


def median(numbers, pattern):
    shown = lambda number: pattern.format(number)
    return f"{shown(statistics.median(numbers))} ({shown(min(numbers))} to {shown(max(numbers))})"


def in_turns(rounds, measures):
    """The results of each measure by its name; none always comes first."""
    results, names = {name: [] for name in measures}, list(measures)
    for _ in range(rounds):
        for name in names:
            results[name].append(measures[name]())
        names.append(names.pop(0))
    return results


def cold(programs, rounds):
    seconds = in_turns(rounds, {program.name: program.cold for program in programs})
    bare = seconds["bare"]
    for name, goal in [("default", 0.85), ("without codegen", 0.55), ("floor", None), ("floor with generator", None)]:
        ratios = [mine / theirs for mine, theirs in zip(seconds[name], bare)]
        verdict = (f"<= {goal}", statistics.median(ratios) <= goal) if goal else ()
        row(f"cold debug build: {name}, beside bare", median(seconds[name], "{:.1f} s"), median(bare, "{:.1f} s"),
            median(ratios, "{:.2f}"), *verdict)


def rerun(program):
    program.build()
    description(program)
    control, none = program.script_runs(), program.script_runs()
    program.main.touch()
    user = program.script_runs()
    row("build script runs: no change; user code changed", f"{none}; {user}", f"fragment changed: {control}", "",
        "0; 0", (none, user) == (0, 0))
    return (control, none, user) == (1, 0, 0)


def description(program):
    """Changes one description in the fragments of the copy that the program depends on."""
    fragment = program.folder.parent / "copy/openapi/wechat.yaml"
    text = fragment.read_text()
    text, found = re.subn("description: .*Whose phone", f"description: ({time.time_ns()}) Whose phone", text)
    assert found == 1, "the description to change is no longer there"
    fragment.write_text(text)


def one_description(program, rounds):
    library = program.folder.parent / "copy/src/lib.rs"
    measures = {"description": lambda: (description(program), program.build()[0])[1],
                "library": lambda: (library.touch(), program.build()[0])[1]}
    program.build()
    in_turns(1, measures)
    seconds = in_turns(max(rounds, 5), measures)
    more = [mine - theirs for mine, theirs in zip(seconds["description"], seconds["library"])]
    row("rebuild: one description changed, beside src/lib.rs touched", median(seconds["description"], "{:.2f} s"),
        median(seconds["library"], "{:.2f} s"), median(more, "{:+.2f} s"), "<= +3 s", statistics.median(more) <= 3)


def generation(program, rounds, folder):
    script = program.script()

    def run(count):
        place = folder / f"{count}-operations"
        env = dict(ENV, CARGO_MANIFEST_DIR=str(place), OUT_DIR=str(place))
        start = time.perf_counter()
        run = subprocess.run([script], env=env, cwd=place, text=True, capture_output=True)
        seconds = time.perf_counter() - start
        if run.returncode or "cargo::error" in run.stdout:
            sys.exit(f"{count} operations:\n{run.stdout[:2000]}{run.stderr[:2000]}")
        return seconds

    for count in OPERATIONS:
        fragments = folder / f"{count}-operations/openapi"
        fragments.mkdir(parents=True)
        shutil.copy(ROOT / "openapi/genauth.yaml", fragments)
        (fragments / "synthetic.yaml").write_text(synthetic(count))
    seconds = in_turns(max(rounds, 5), {count: lambda count=count: run(count) for count in OPERATIONS})
    least, most = OPERATIONS[0], OPERATIONS[-1]
    for count in OPERATIONS:
        goal = ("<= 3 s", statistics.median(seconds[count]) <= 3) if count == most else ()
        each = [time / count * 1000 for time in seconds[count]]
        row(f"generation alone: {count} operations", median(seconds[count], "{:.2f} s"), "",
            median(each, "{:.2f} ms") + " an operation", *goal)
    growth = [(many / most) / (few / least) for many, few in zip(seconds[most], seconds[least])]
    row(f"generation: an operation of {most}, beside one of {least}", "", "", median(growth, "{:.2f}"),
        "<= 1.25", statistics.median(growth) <= 1.25)


def groups(folder, rounds):
    """What each group adds to a build of the library and a program, of what is checked in: seconds, and the memory of the
    largest process."""
    manifest = (ROOT / "Cargo.toml").read_text()
    names = re.findall('"(.*?)"', re.search(r"^all-groups = \[(.*?)\]", manifest, re.S | re.M)[1])
    copy_repository(folder / "groups")
    program = Program(folder, "by group", OURS, GENAUTH % (folder / "groups", ""))

    # What an earlier build of the same group left behind would be measured otherwise.
    env = dict(ENV, CARGO_INCREMENTAL="0")

    def build(features):
        options = f', default-features = false, features = {json.dumps(["rustls-ring", *features])}'
        text = re.sub("^genauth = .*$", lambda _: (GENAUTH % (folder / "groups", options)).splitlines()[0],
                      (program.folder / "Cargo.toml").read_text(), flags=re.M)
        (program.folder / "Cargo.toml").write_text(text)
        (folder / "groups/src/lib.rs").touch()
        start = time.perf_counter()
        child = subprocess.Popen(["cargo", "build", "--offline", "--quiet"], cwd=program.folder, env=env)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"by group: {features}")
        return time.perf_counter() - start, usage.ru_maxrss / 1024

    build([])
    sets = {"none": [], **{name: [name] for name in names}, "all-groups": ["all-groups"]}
    measured = in_turns(rounds, {name: lambda name=name: build(sets[name]) for name in sets})
    for name in sets:
        seconds, memory = ([one[at] for one in measured[name]] for at in (0, 1))
        more = [mine[0] - bare[0] for mine, bare in zip(measured[name], measured["none"])]
        row(f"rebuild: group {name}", median(seconds, "{:.2f} s"), median(memory, "{:.0f} MiB"),
            "" if name == "none" else median(more, "{:+.2f} s"))


def binary(ours, floor):
    for what, options in [("as built", ()), ("stripped", ("--config", "profile.release.strip=true"))]:
        sizes = []
        for program in (ours, floor):
            program.build("--release", *options)
            sizes.append((program.target / "release/program").stat().st_size / 1024)
        row(f"release binary, {what}: default, beside floor", *(f"{size:.0f} KiB" for size in sizes),
            f"{sizes[0] - sizes[1]:+.0f} KiB", "<= +300 KiB", sizes[0] - sizes[1] <= 300)


def copy_repository(to):
    """What git knows, as it stands in the working tree."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, text=True, capture_output=True).stdout
    for file in filter(lambda file: (ROOT / file).is_file(), files.split("\0")):
        (to / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, to / file)


def measure(parts, rounds):
    """Whether the counts are right; what was measured is in ROWS."""
    right = True
    with tempfile.TemporaryDirectory(prefix="genauth-builds-") as temporary:
        folder = pathlib.Path(temporary).resolve()
        default = Program(folder, "default", OURS, GENAUTH % (ROOT, ""))
        if {"cold", "binary"} & set(parts):
            floor = Program(folder, "floor", FLOOR, OUR_TLS)
        if "cold" in parts:
            without = ', default-features = false, features = ["rustls-ring"]'
            bare = 'reqwest = { version = "0.13", features = ["json"] }\n' + SERDE
            cold([default, Program(folder, "without codegen", OURS, GENAUTH % (ROOT, without)),
                  Program(folder, "bare", BARE, bare), floor,
                  Program(folder, "floor with generator", FLOOR, OUR_TLS + GENERATOR, BUILD)], rounds)
        if {"rerun", "description"} & set(parts):
            copy_repository(folder / "copy")
            changing = Program(folder, "changing", OURS, GENAUTH % (folder / "copy", ""))
            if "rerun" in parts:
                right = rerun(changing)
            if "description" in parts:
                one_description(changing, rounds)
        if "generation" in parts:
            generation(default, rounds, folder)
        if "groups" in parts:
            groups(folder, rounds)
        if "binary" in parts:
            binary(default, floor)
    return right


def table():
    print("| what | ours | beside | ratio or difference | goal | met |\n|---|---|---|---|---|---|")
    for cells in ROWS:
        print("|", " | ".join(cells), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3, help="of cold builds; what takes seconds has five at least")
    options = parser.parse_args()
    right = measure(options.only, options.rounds)
    table()
    sys.exit(None if right else "the build script ran another number of times than it should")


if __name__ == "__main__":
    main()
