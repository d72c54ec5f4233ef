//! Decisions about packages: what is uploaded, and what may be exchanged.

use super::{Decision, require};
use crate::{
    app::{Action, App, Event, Package, Rejection, Stage},
    names::ChartName,
    version_number::VersionNumber,
};

impl App {
    pub(super) fn upload_version(&self, chart: &ChartName, version: VersionNumber, package: Package) -> Decision {
        self.same_chart(chart)?;
        match self.versions.get(&version) {
            Some(known) if known.ever_published && matches!(known.stage, Stage::Deleted {}) => {
                Err(Rejection::VersionRetired(version))
            }
            Some(known) if !matches!(known.stage, Stage::Deleted {}) => Err(Rejection::VersionExists(version)),
            Some(_) | None => Ok(vec![Event::VersionUploaded { version, package }]),
        }
    }

    pub(super) fn replace_package(
        &self,
        version: VersionNumber,
        chart: &ChartName,
        number: VersionNumber,
        package: Package,
    ) -> Decision {
        let known = self.known(&version)?;
        self.same_chart(chart)?;
        if number != version {
            return Err(Rejection::VersionDiffers {
                expected: version,
                found: number,
            });
        }
        require(&version, known, Action::ReplacePackage)?;
        if known.package == package {
            return Ok(vec![]);
        }
        Ok(vec![Event::PackageReplaced { version, package }])
    }

    fn same_chart(&self, found: &ChartName) -> Result<(), Rejection> {
        if *found == self.chart {
            return Ok(());
        }
        Err(Rejection::ChartNameDiffers {
            expected: self.chart.clone(),
            found: found.clone(),
        })
    }
}
