//! `plan --html`: the page, where it goes, and what a browser makes of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::support::{Ended, Stage};

/// Somebody chose this name so that it would run.
const HOSTILE: &str = r#"<script>document.title="x"</script>"#;

/// Usage of two months, the first of them billed: a hundred customers, some of them with names that are not what they seem, and a record
/// that cannot be used.
fn busy() -> Stage {
    let mut stage = Stage::new();
    stage.replace("start  = \"2025-06\"", "start  = \"2025-05\"");
    stage.replace("[sink.clazar]", "[sink.clazar]\nround = \"down\"");
    stage.at("2025-06-01T02:00:00Z");
    let usage = |stage: &Stage, hour: &str, more: u64| {
        let names: Vec<String> = (0..100).map(|number| format!("customer-{number:03}")).collect();
        let values: Vec<String> = (0..100).map(|number| format!("{}.25", 1_000 + number * more)).collect();
        let mut records: Vec<(&str, &str, &str)> = Vec::new();
        for (name, value) in names.iter().zip(&values) {
            records.push((name, "cpu_core_hours", value));
            records.push((name, "memory_gib_hours", "123456789012345678901234567890123456.5"));
        }
        stage.usage(hour, "many", &records);
    };
    usage(&stage, "2025/05/04/00", 10);
    stage.run().expect(0);
    stage.at("2025-07-01T02:00:00Z");
    usage(&stage, "2025/06/04/00", 13);
    let long = "n".repeat(300);
    let script = HOSTILE.replace('"', "\\\"");
    let others = [
        (script.as_str(), "cpu_core_hours", "7"),
        ("\\u202eevil\\u0007", "cpu_core_hours", "8"),
        ("חברה בע״מ", "cpu_core_hours", "9"),
        (long.as_str(), "memory_gib_hours", "10"),
        ("' onmouseover='document.title=1", "cpu_core_hours", "6"),
        ("' onmouseover='document.title=1", "cpu_core_hours", "null"),
    ];
    stage.usage("2025/06/04/01", "others", &others);
    stage
}

fn plan(stage: &Stage, arguments: &[&str]) -> Ended {
    let page = stage.path("plan.html");
    let mut all = vec!["--html", page.to_str().unwrap()];
    all.extend(arguments);
    stage.command("plan", &all, &[])
}

/// How wide the page is, and how wide the screen.
const WIDTHS: &str = "[document.documentElement.scrollWidth, innerWidth]";

/// Texts with less contrast to what is behind them than the Web Content Accessibility Guidelines ask for (2.2, 1.4.3, level AA).
const PALE: &str = r#"(() => {
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = numbers(colour).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (part) => {
        const colour = part ? getComputedStyle(part).backgroundColor : "rgb(255, 255, 255)";
        return numbers(colour)[3] === 0 ? behind(part.parentElement) : colour;
    };
    const pale = new Set();
    for (const part of document.body.querySelectorAll("*")) {
        const has_text = [...part.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
        if (!has_text || !part.checkVisibility({ visibilityProperty: true })) continue;
        const [text, back] = [luminance(getComputedStyle(part).color), luminance(behind(part))];
        const contrast = (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
        if (contrast < 4.5) pale.add(`${part.tagName} ${part.className}: ${contrast.toFixed(2)}`);
    }
    return [...pale];
})()"#;

#[test]
fn a_browser_shows_the_whole_plan_and_runs_nothing_of_what_is_in_it() {
    let Some(mut browser) = Browser::start() else { return };
    let stage = busy();
    let lines = plan(&stage, &["--json"]).expect(1).json()["windows"].clone();
    let lines: usize = lines.as_array().unwrap().iter().map(|window| window["lines"].as_array().unwrap().len()).sum();
    let page = stage.path("plan.html");

    browser.screen(1_400, 1_000, "light");
    browser.open(&page);
    let title = "postgres-prod: plan: 204 charges would be billed, 1 is held back";
    assert_eq!(browser.eval("document.title"), title);
    assert_eq!(browser.eval("document.querySelectorAll('h1').length"), 1);
    assert_eq!(browser.eval("document.querySelectorAll('table.rows tbody tr').length"), lines);
    let names = "[...document.querySelectorAll('table.rows tbody th')].map((cell) => cell.textContent)";
    let names = browser.eval(names);
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in [HOSTILE, "\\u{202e}evil\\u{7}", "חברה בע״מ", "' onmouseover='document.title=1", "customer-099"]
    {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let first = "document.querySelector('table.rows tbody tr').textContent";
    assert!(browser.eval(first).as_str().unwrap().starts_with("! held' onmouseover="), "what needs a look comes first");
    assert_eq!(browser.eval("document.querySelectorAll('script').length"), 1);
    assert_eq!(browser.complaints(), [""; 0]);
    assert_eq!(browser.requests(), [format!("file://{}", page.display())], "it needs nothing beside it");

    for (width, height) in [(1_400, 1_000), (1_180, 700), (400, 900), (320, 700)] {
        for colours in ["light", "dark"] {
            browser.screen(width, height, colours);
            browser.open(&page);
            assert_eq!(browser.eval(WIDTHS), json!([width, width]), "nothing is beyond the edge");
            // A number that is cut is another number.
            let cut = "[...document.querySelectorAll('tbody .n')].filter((cell) => cell.scrollWidth > cell.clientWidth + 1).length";
            assert_eq!(browser.eval(cut), 0);
            assert_eq!(browser.eval(PALE), json!([]), "every text can be read, {colours}");
            let picture = browser.picture(&format!("plan-{width}-{colours}"));
            browser.eval("document.querySelector('.charges').scrollIntoView()");
            let charges = browser.picture(&format!("charges-{width}-{colours}"));
            for picture in [picture, charges] {
                let (colours, most) = browser.colours(&picture);
                assert!(colours > 50 && most < 97, "it is blank: {colours} colours, {most} % of one");
            }
        }
    }
    browser.screen(400, 900, "light");
    let blank = browser.picture("blank");
    assert_eq!(browser.colours(&blank), (1, 100), "what is blank is told from what is not");
}

#[test]
fn a_script_that_somebody_gets_into_the_page_does_not_run() {
    let Some(mut browser) = Browser::start() else { return };
    let stage = busy();
    plan(&stage, &[]).expect(1);
    let text = std::fs::read_to_string(stage.path("plan.html")).unwrap();
    let page = stage.path("changed.html");
    for smuggled in [
        "<script>document.title = 'x'</script>",
        "<img src=\"x\" onerror=\"document.title = 'x'\">",
        "<p style=\"position: fixed\">paid</p>",
        "<link rel=\"stylesheet\" href=\"other.css\">",
    ] {
        std::fs::write(&page, text.replacen("<main>", &format!("<main>{smuggled}"), 1)).unwrap();
        browser.open(&page);
        assert_ne!(browser.complaints(), [""; 0], "{smuggled} is refused");
        assert_ne!(browser.eval("document.title"), "x");
    }
}

#[test]
fn rows_can_be_found_and_put_in_order_by_their_exact_numbers() {
    let Some(mut browser) = Browser::start() else { return };
    let stage = busy();
    plan(&stage, &[]).expect(1);
    browser.screen(1_400, 1_000, "light");
    browser.open(&stage.path("plan.html"));
    let seen = "[...document.querySelectorAll('table.rows tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[1].textContent)";
    browser.eval(
        "{ const words = document.querySelector('.tools input'); words.value = ' Customer-01'; words.dispatchEvent(new Event('input')) }",
    );
    let found = browser.eval(seen);
    assert_eq!((found.as_array().unwrap().len(), &found[0]), (20, &json!("customer-010")));
    assert_eq!(browser.eval("document.querySelector('.tools output').textContent"), "20 of 205 rows");
    browser.eval(
        "{ const words = document.querySelector('.tools input'); words.value = ''; words.dispatchEvent(new Event('input')) }",
    );
    assert_eq!(browser.eval(seen).as_array().unwrap().len(), 205);

    let quantities = "[...document.querySelectorAll('table.rows tbody .q')].map((cell) => cell.innerText)";
    browser.eval("document.querySelector('table.rows thead .q button').click()");
    let order = browser.eval(quantities);
    assert_eq!((&order[0], &order[204]), (&json!("123,456,789,012,345,678,901,234,567,890,123,456"), &json!("6")));
    browser.eval("document.querySelector('table.rows thead .q button').click()");
    assert_eq!(browser.eval(quantities)[0], "6");
    assert_eq!(browser.eval("document.querySelector('table.rows thead .q').ariaSort"), "ascending");
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_page_is_whole_without_its_script_and_on_paper() {
    let Some(mut browser) = Browser::start() else { return };
    let stage = busy();
    plan(&stage, &[]).expect(1);
    browser.may_run_scripts(false);
    browser.screen(1_400, 1_000, "dark");
    browser.open(&stage.path("plan.html"));
    browser.may_run_scripts(true);
    let seen = "[...document.querySelectorAll('.tools, thead button')].filter((part) => part.checkVisibility()).length";
    assert_eq!(browser.eval(seen), 0, "nothing is there that would not work");
    assert_eq!(browser.eval("document.querySelectorAll('table.rows tbody tr').length"), 205);
    let (rows, dark) = ("table.rows tbody tr", "getComputedStyle(document.body).color");
    let hidden = format!("[...document.querySelectorAll('{rows}')].filter((row) => !row.checkVisibility()).length");
    assert_ne!(browser.eval(&hidden), 0, "some are folded away on a screen");
    let on_screen = browser.eval(dark);
    browser.paper();
    assert_eq!(browser.eval(&hidden), 0, "nothing is folded away on paper");
    assert_ne!(browser.eval(dark), on_screen, "paper is white");
}

#[test]
fn the_page_says_where_it_is_and_is_the_same_for_the_same_plan() {
    let stage = busy();
    let ended = plan(&stage, &[]);
    ended.expect(1).says("205 charges: 204 would be billed, 1 held");
    let page = stage.path("plan.html");
    assert!(ended.stdout.ends_with(&format!("\npage: {}\n", page.display())), "{}", ended.stdout);
    let first = std::fs::read(&page).unwrap();
    let document = plan(&stage, &["--json"]).expect(1).json();
    assert_eq!(document["dry_run"], true, "there is nothing but JSON on standard output");
    assert_eq!(std::fs::read(&page).unwrap(), first);
    let arguments = ["--dry-run", "--html", page.to_str().unwrap()];
    stage.command("run", &arguments, &[]).expect(1);
    assert_eq!(std::fs::read(&page).unwrap(), first);
    let text = String::from_utf8(first).unwrap();
    assert!(!text.contains("sec-very-secret"));
    assert_eq!(drafts(&stage), [""; 0]);
}

/// What a page that was not finished would leave behind.
fn drafts(stage: &Stage) -> Vec<String> {
    let entries = std::fs::read_dir(stage.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    entries.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.ends_with(".new")).collect()
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_planned() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
    std::fs::create_dir(stage.path("folder")).unwrap();
    std::fs::create_dir(stage.path("closed")).unwrap();
    std::fs::set_permissions(stage.path("closed"), std::fs::Permissions::from_mode(0o555)).unwrap();
    std::os::unix::fs::symlink("nowhere/page.html", stage.path("astray.html")).unwrap();
    let is_root = std::fs::write(stage.path("closed/try"), "").is_ok();
    let before = std::fs::read_to_string(stage.path("pipeline.toml")).unwrap();
    for (place, reason) in [
        ("nowhere/plan.html", "No such file or directory"),
        ("folder", "this is no file"),
        ("pipeline.toml", "there is a file that is no page; it is not overwritten"),
        ("pipeline.toml/plan.html", "Not a directory"),
        ("astray.html", "No such file or directory"),
        ("/dev/null", "this is no file"),
        ("/proc/plan.html", "--html /proc/plan.html: "),
        ("closed/plan.html", "Permission denied"),
    ] {
        if is_root && place.starts_with("closed") {
            continue;
        }
        // A path that begins with a slash stays what it is.
        let place = stage.path(place);
        let ended = stage.command("plan", &["--html", place.to_str().unwrap()], &[]);
        ended.expect(2).says(reason).says("--html");
        assert_eq!(ended.stdout, "", "{}", place.display());
        assert!(!ended.stderr.contains("reading"), "it was planned all the same: {}", ended.stderr);
    }
    assert_eq!(std::fs::read_to_string(stage.path("pipeline.toml")).unwrap(), before);
    stage.touched_nothing();
}

#[test]
fn a_page_is_replaced_by_the_next_one_also_behind_a_link() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
    std::os::unix::fs::symlink("plan.html", stage.path("link.html")).unwrap();
    let link = stage.path("link.html");
    let begins = |path: &Path| std::fs::read_to_string(path).unwrap().starts_with("<!doctype html>");
    std::fs::write(stage.path("plan.html"), "<!DOCTYPE HTML><p>another</p>").unwrap();
    stage.command("plan", &["--html", link.to_str().unwrap()], &[]).expect(0);
    assert!(begins(&stage.path("plan.html")) && link.is_symlink());
    // A name alone is a file of the folder one is in.
    let mut step = stage.step("plan");
    let said = crate::support::ended(step.args(["--html", "here.html"]).current_dir(stage.path("")).output().unwrap());
    said.expect(0).says("page: here.html");
    assert!(begins(&stage.path("here.html")));
}

#[test]
fn a_page_is_made_of_a_plan_alone() {
    let stage = Stage::new();
    stage.usage("2025/06/01/00", "a", &[("A", "cpu", "1")]);
    let page = stage.path("run.html");
    let ended = stage.command("run", &["--html", page.to_str().unwrap(), "--json"], &[]);
    assert_eq!(
        ended.expect(2).json()["problems"][0]["message"],
        "--html: a page is made of a plan; add --dry-run, or use `plan`"
    );
    assert!(!page.exists());
    stage.touched_nothing();
    // What ends before there is a plan leaves no page.
    stage.replace("[sink.clazar]", "[sink.clazar]\nnonsense = 1");
    assert_eq!(plan(&stage, &["--json"]).expect(2).json()["windows"], Value::Array(Vec::new()));
    assert!(!stage.path("plan.html").exists());
}
