//! The architecture, as far as a program can hold it: who may know whom, and what may not be written where.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod documents;
mod layers;
mod sources;
mod workspace;

#[test]
fn every_file_of_this_folder_is_part_of_this_program() {
    let declared = include_str!("main.rs");
    for file in workspace::rust_files("tests/tidy") {
        let module = file.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        assert!(
            module == "main" || declared.contains(&format!("mod {module};\n")),
            "{} is not declared",
            file.path
        );
    }
}
