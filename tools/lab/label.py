"""A guest's recording (agent `recorder`), labelled: FOLDER/recording.csv.gz and the schema beside it.

Columns as `hosa record` writes them, the last three filled in: label 1 while a fault lasts, fault its name (`rec_NAME`: the 8 s
after it, which belong to neither class), phase `train` for the warm-up. Times of faults are the guest's CLOCK_BOOTTIME, as
the recording's `# ... is t = 0` is (a guest is never suspended). tools/eval/recordings scores directories of these."""

import gzip
import os

from logs import read_json, read_text, read_times

RECOVERY_S = 8
LAST_S = 4  # in which the lab takes itself apart: no machine's ordinary life


def faults_of(s, out):
    """[(name, onset, end)]: those of guest/recording, or an episode's one."""
    listed = [line.split() for line in read_text(os.path.join(out, "faults.txt")).splitlines()]
    if listed or s["script"] != "episode" or s["fault"] == "nothing":
        return [(name, float(onset), float(end)) for name, onset, end in listed]
    onset = read_json(os.path.join(out, "offender.json")).get("onset")
    return [(s["fault"], onset, read_times(os.path.join(out, "times"))["fault_end"])] if onset else []


def label_of(at, faults):
    for name, onset, end in faults:
        if onset <= at < end:
            return "1", name
        if end <= at < end + RECOVERY_S:
            return "0", "rec_" + name
    return "0", "-"


def judge_recording(v, s, out, folder, agent, ram_mb, promise):
    faults, began, schema, rows, times = faults_of(s, out), None, [], [], read_times(os.path.join(out, "times"))
    warm_until, over = times["start"] + s["warmup"], times["end"] - LAST_S
    for line in read_text(os.path.join(out, "recording.csv")).splitlines():
        if line.startswith("#") and line.endswith(" is t = 0"):
            began = float(line.split()[1])
        elif line.startswith("#"):
            schema.append(line.removeprefix("# "))
        elif line.startswith("t,"):
            rows.append(line)
        elif line.endswith(",live"):  # a last one cut short is dropped
            at = began + float(line.split(",", 1)[0])
            if at < over:
                rows.append(",".join([line.rsplit(",", 3)[0], *label_of(at, faults), "train" if at < warm_until else "live"]))
    with gzip.open(os.path.join(folder, "recording.csv.gz"), "wt") as file:
        file.write("\n".join(rows) + "\n")
    with open(os.path.join(folder, "recording.schema"), "w") as file:
        file.write("\n".join(line for line in schema if line.count(",") == 4 and not line.startswith("name,")) + "\n")
    v["rows"], v["faults"] = len(rows) - 1, [name for name, _, _ in faults]
    missing = [name for name in s["faults"] if name not in v["faults"]]
    if missing or v["rows"] < 100:
        v["broken"].append(f"{v['rows']} rows; not recorded: {', '.join(missing) or 'nothing'}")
