use super::fixtures::*;
use crate::{
    app::{App, Command, Event, Package, Rejection},
    names::ChartName,
    spec::given,
    version_number::VersionNumber,
};

fn upload(version: VersionNumber) -> Command {
    Command::UploadVersion {
        chart: redis(),
        version,
        package: package(2),
    }
}

fn replace(package: Package) -> Command {
    Command::ReplacePackage {
        version: first(),
        chart: redis(),
        number: first(),
        package,
    }
}

fn upload_app() -> Command {
    Command::Upload {
        workspace: workspace(),
        chart: redis(),
        listing: listing(1),
        version: first(),
        package: package(1),
    }
}

fn valkey() -> ChartName {
    "valkey".parse().unwrap()
}

#[test]
fn an_app_is_uploaded_with_its_first_version_and_only_once() {
    given::<App>([])
        .when(upload_app())
        .then([app_uploaded(), uploaded(first(), 1)]);
    draft().when(upload_app()).then_rejected(&Rejection::Exists);
}

#[test]
fn nothing_can_be_done_to_an_app_that_does_not_exist() {
    given::<App>([])
        .when(upload(first()))
        .then_rejected(&Rejection::NotFound);
    given::<App>([])
        .when(Command::DeleteApp)
        .then_rejected(&Rejection::NotFound);
}

#[test]
fn another_version_joins_the_app() {
    draft().when(upload(second())).then([uploaded(second(), 2)]);
}

#[test]
fn a_number_is_unique_in_its_app_build_metadata_and_missing_zeros_aside() {
    for taken in ["11.3.4", "11.3.4+rebuilt"] {
        draft()
            .when(upload(number(taken)))
            .then_rejected(&Rejection::VersionExists(number(taken)));
    }
    draft()
        .and(ada(), [uploaded(number("1.0"), 3)])
        .when(upload(number("1.0.0")))
        .then_rejected(&Rejection::VersionExists(number("1.0.0")));
}

#[test]
fn a_chart_of_another_name_is_another_app() {
    draft()
        .when(Command::UploadVersion {
            chart: valkey(),
            version: second(),
            package: package(2),
        })
        .then_rejected(&Rejection::ChartNameDiffers {
            expected: redis(),
            found: valkey(),
        });
}

#[test]
fn a_package_is_replaced_in_draft_and_after_a_rejection() {
    draft().when(replace(package(2))).then([replaced(2)]);
    rejected().when(replace(package(2))).then([replaced(2)]);
}

#[test]
fn replacing_a_package_with_itself_records_nothing() {
    draft().when(replace(package(1))).then([]);
}

#[test]
fn a_package_under_way_or_in_the_store_is_not_replaced() {
    for (state, stage) in [
        (submitted(), "submitted"),
        (in_review(), "in review"),
        (approved(), "approved"),
        (published(), "published"),
    ] {
        let allowed = state.clone().state().unwrap().versions[&first()].stage.allows();
        state.when(replace(package(2))).then_rejected(&Rejection::WrongState {
            version: first(),
            stage,
            allowed,
        });
    }
}

#[test]
fn the_new_package_must_say_the_number_and_the_name_of_the_old_one() {
    draft()
        .when(Command::ReplacePackage {
            version: first(),
            chart: redis(),
            number: second(),
            package: package(2),
        })
        .then_rejected(&Rejection::VersionDiffers {
            expected: first(),
            found: second(),
        });
    draft()
        .when(Command::ReplacePackage {
            version: first(),
            chart: valkey(),
            number: first(),
            package: package(2),
        })
        .then_rejected(&Rejection::ChartNameDiffers {
            expected: redis(),
            found: valkey(),
        });
}

#[test]
fn the_package_of_a_version_nobody_uploaded_is_not_replaced() {
    draft()
        .when(Command::ReplacePackage {
            version: second(),
            chart: redis(),
            number: second(),
            package: package(2),
        })
        .then_rejected(&Rejection::VersionNotFound(second()));
}

#[test]
fn a_listing_edit_that_changes_nothing_records_nothing() {
    let edit = |n| Command::EditListing { listing: listing(n) };
    draft().when(edit(2)).then([edited(2)]);
    draft().when(edit(1)).then([]);
    let icon = package(9).digest;
    let set_icon = |n| Command::SetIcon {
        icon,
        listing: listing(n),
    };
    draft().when(set_icon(2)).then([Event::IconSet {
        icon,
        listing: listing(2),
    }]);
    draft().when(set_icon(1)).then([]);
}

#[test]
fn a_version_counts_its_own_events_and_a_stale_reader_is_told() {
    let app = submitted().and(ada(), [edited(2)]).state().unwrap();
    assert_eq!(app.unchanged_since(&first(), 2), Ok(()));
    assert_eq!(
        app.unchanged_since(&first(), 1),
        Err(Rejection::StaleRevision {
            version: first(),
            expected: 1,
            actual: 2
        })
    );
    assert_eq!(
        app.unchanged_since(&second(), 1),
        Err(Rejection::VersionNotFound(second()))
    );
}
