//! What stands against running a chart with given values.

use serde_json::{Value, json};

use super::{Values, ValuesError, Violation, merged, read, read_leniently, violations, without_nulls};
use crate::chart_archive::Chart;

/// All that the chart's own schema has against its defaults under these values, as Helm checks it before it renders.
///
/// The sections of subcharts are left to Helm: their defaults and schemas are in archives of their own.
///
/// # Errors
///
/// [`ValuesError`] if the text is no values.
pub fn check(text: &str, chart: Option<&Chart>) -> Result<Vec<Violation>, ValuesError> {
    let given = read(text)?;
    let Some((schema, chart)) = chart.and_then(|chart| Some((chart.values_schema.as_deref()?, chart))) else {
        return Ok(vec![]);
    };
    // Defaults and schemas were looked at when the chart came in. What is not understood here, Helm judges.
    let Ok(defaults) = read_leniently(chart.values.as_deref().unwrap_or_default()) else {
        return Ok(vec![]);
    };
    let subcharts = subcharts(chart);
    let against = |defaults: &Values| {
        let seen = with_sections(merged(given.clone(), defaults), &subcharts);
        violations(schema, &Value::Object(seen), &subcharts).unwrap_or_else(|invalid| {
            tracing::warn!(
                error = &invalid as &dyn std::error::Error,
                "a values schema could not be used"
            );
            vec![]
        })
    };
    // Helm 3 and Helm 4 differ over defaults that are null. What either of them accepts is not refused here.
    let found = [against(&defaults), against(&without_nulls(defaults))];
    Ok(found.into_iter().min_by_key(Vec::len).unwrap_or_default())
}

/// Under which keys the values of subcharts are: those that are declared, and those that are simply there.
fn subcharts(chart: &Chart) -> Vec<String> {
    let declared = chart.metadata.dependencies.iter();
    let declared = declared.map(|dependency| dependency.alias.as_ref().unwrap_or(&dependency.name).clone());
    let unpacked = chart.files.iter().filter_map(|file| {
        let (folder, _) = file.path.strip_prefix("charts/")?.split_once('/')?;
        Some(folder.to_owned())
    });
    declared.chain(unpacked).collect()
}

/// Helm gives every subchart a section.
fn with_sections(mut values: Values, subcharts: &[String]) -> Values {
    for subchart in subcharts {
        values.entry(subchart.clone()).or_insert_with(|| json!({}));
    }
    values
}
