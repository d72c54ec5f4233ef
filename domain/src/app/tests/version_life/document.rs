//! The table as a document for people.

use super::{
    Outcome,
    actors::{Actor, columns, everybody, reviewer_with_everything},
    commands::{about_a_version, every_command, name},
    situations::{Situation, every_situation, stages},
};

const INTRODUCTION: &str = "\
# The life of a version

What comes of every command, at every stage, for every role. A test computes this file by asking the program and fails
when they differ; `CHARTHOUSE_BLESS=1 cargo test -p charthouse-domain version_life` writes it anew. Do not edit it.

    draft --submit--> submitted --start review--> in review --approve--> approved --publish--> published
    in review --approve, and the policy asks for more--> submitted
    submitted | in review --reject--> rejected --submit--> submitted ; rejected --edit--> draft
    submitted | in review | approved --withdraw--> draft
    published --suspend--> suspended --resume--> published
    draft | approved | rejected | suspended --delete--> deleted

How to read a cell:

* `-`: denied, the role does not hold the command's permission.
* `=`: succeeds and records nothing, because it is so already.
* `VersionApproved`: succeeds and records this event.
* `WRONG_STATE`: refused by a rule; `errors.md` explains the codes.

The commands are about version 11.3.4, and name the submission and the digests that are current. `(owner)` is given in
the name of the workspace that owns the app, `(store)` in the name of the store.
";

pub(super) fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(
        "\n## At a glance\n\nFor one account that holds every permission, wrote nothing, and claimed the review.\n\n",
    );
    text.push_str(&overview());
    text.push_str(&people());
    for situation in every_situation() {
        text.push_str(&section(&situation));
    }
    text
}

/// Commands about a version by stage.
fn overview() -> String {
    let actor = reviewer_with_everything();
    let mut rows = vec![header("command", stages().iter().map(|stage| stage.title))];
    for command in about_a_version() {
        let cells = stages().into_iter().map(|stage| Outcome::of(&actor, &stage, &command));
        rows.push(row(name(&command), cells));
    }
    table(&rows)
}

fn people() -> String {
    let shown = columns();
    let others: Vec<_> = everybody()
        .into_iter()
        .filter(|actor| shown.iter().all(|column| column.name != actor.name))
        .map(|actor| format!("`{}`", actor.name))
        .collect();
    format!(
        "\n## By role\n\n\
         `app-review` is the custom role made of the bundles app store management and app store view. \
         `author, app-review` is\nthe `workspace-regular` who uploaded and submitted everything here and holds \
         `app-review` too; the others wrote nothing.\n\n\
         Denied every command in every table, and therefore left out: {}.\n",
        others.join(", ")
    )
}

fn section(situation: &Situation) -> String {
    let actors = columns();
    let mut rows = vec![header("command", actors.iter().map(|actor| actor.name))];
    for (name, command) in every_command() {
        let outcome = |actor: &Actor| Outcome::of(actor, situation, &command);
        rows.push(row(name, actors.iter().map(outcome)));
    }
    let remark = match situation.remark {
        "" => String::new(),
        remark => format!("{remark}\n\n"),
    };
    format!("\n### {}\n\n{remark}{}", capitalised(situation.title), table(&rows))
}

fn capitalised(title: &str) -> String {
    let (first, rest) = title.split_at(1);
    first.to_uppercase() + rest
}

fn header<'a>(first: &'a str, rest: impl Iterator<Item = &'a str>) -> Vec<String> {
    std::iter::once(first).chain(rest).map(str::to_owned).collect()
}

fn row(name: &str, cells: impl Iterator<Item = Outcome>) -> Vec<String> {
    std::iter::once(name.to_owned())
        .chain(cells.map(|outcome| word(&outcome)))
        .collect()
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Denied => "-".to_owned(),
        Outcome::Nothing => "=".to_owned(),
        Outcome::Events(names) => names.join(", "),
        Outcome::Rejected(code) => (*code).to_owned(),
    }
}

/// A Markdown table whose columns line up, so that it reads as text too.
fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let mut lines: Vec<_> = rows.iter().map(|row| line(row, &widths)).collect();
    let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, line(&rule, &widths));
    lines.concat()
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let padded: Vec<_> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}", width = *width))
        .collect();
    format!("| {} |\n", padded.join(" | "))
}
