"""All cells of a run as one table and as JSON: repeats of a cell give median and worst, and n is said."""

KEY = ("scenario", "kernel", "profile", "agent")
# Title, key of the verdict; bystander's figures are phases of [p50, p99, max, failed].
COLUMNS = [("limit s", "first_limit_s"), ("named s", "named_s"), ("least MB", "least_available_mb"), ("growth %", "growth_percent"),
           ("MB/s 5s", "bucket_mb_s"), ("p50 ms", 0), ("p99 ms", 1), ("max ms", 2), ("died", "died"), ("late s", "ended_late_s"),
           ("pace", "pace_after"), ("mate", "mate_during"), ("refault", "refaults"), ("innocents", "limits_on_innocents"),
           ("flaps", "changes_any_10s"), ("left", "left"), ("gone s", "gone_s"), ("RSS MB", "agent_rss_mb"), ("CPU %", "agent_cpu_fault"),
           ("wakes/s", "agent_wakeups_fault"), ("loop ms", "agent_loop_p99_ms"), ("real s", "real_s")]
LESS_IS_WORSE = {"least_available_mb", "pace_after", "mate_during"}


def groups(cells):
    found = {}
    for cell in cells:
        found.setdefault(tuple(cell[k] for k in KEY), []).append(cell)
    return found


def numbers(runs, key):
    return sorted(r[key] for r in runs if isinstance(r.get(key), (int, float)))


def median(values):
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else round((values[middle - 1] + values[middle]) / 2, 3)


def summaries(cells):
    """A dict per cell: n, green, median and worst of each figure, everything that was broken."""
    rows = []
    for name, runs in groups(cells).items():
        row = {**dict(zip(KEY, name)), "n": len(runs), "green": sum(r["green"] for r in runs),
               "broken": [b for r in runs for b in r["broken"]], "folders": [r.get("folder") for r in runs], "figures": {}}
        for _, key in COLUMNS:
            values = numbers(runs, key) if isinstance(key, str) else []
            if values:
                row["figures"][key] = {"median": median(values), "worst": values[0] if key in LESS_IS_WORSE else values[-1]}
        row["bystander"] = {phase: [median(sorted(r["bystander"][phase][i] for r in runs if phase in (r.get("bystander") or {})))
                                    for i in range(4)]
                            for phase in ("healthy", "fault", "after") if any(phase in (r.get("bystander") or {}) for r in runs)}
        row["died"] = sorted({d for r in runs for d in r.get("died") or []})
        row["left"] = sorted({r["left"] for r in runs if r.get("left")})
        rows.append(row)
    return rows


def shown(row, key):
    if isinstance(key, int):
        return "/".join(str(row["bystander"][p][key]) if p in row["bystander"] else "-" for p in ("healthy", "fault", "after"))
    if key in ("died", "left"):
        return f"{len(row[key])}: {row[key][0][:28]}" if row[key] else "0"
    figure = row["figures"].get(key)
    if not figure:
        return "-"
    return str(figure["median"]) if row["n"] == 1 else f"{figure['median']} ({figure['worst']})"


def of(cells):
    rows = [[*KEY, "n", *(title for title, _ in COLUMNS), "verdict"]]
    for row in summaries(cells):
        verdict = "green" if row["green"] == row["n"] else f"RED {row['n'] - row['green']} of {row['n']}"
        rows.append([*(row[k] for k in KEY), str(row["n"]), *(shown(row, key) for _, key in COLUMNS), verdict])
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(w) for text, w in zip(r, widths)).rstrip() for r in rows)
