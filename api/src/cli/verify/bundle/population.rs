//! The first two columns of the population: which decisions a bundle has to hold.

use std::io::{BufReader, Bytes, Read};

use super::{
    super::verdict::{Finding, Verdict},
    contents::damaged,
};
use crate::exports::bundle::POPULATION;

/// Longest field that means anything here, in bytes.
const FIELD_BYTES_MAX: usize = 64;

pub struct Row {
    pub position: u64,
    pub id: String,
}

/// The rows below the header.
pub struct Rows<R> {
    bytes: Bytes<BufReader<R>>,
    is_in_header: bool,
}

impl<R: Read> Rows<R> {
    pub fn of(file: R) -> Self {
        Self {
            bytes: BufReader::new(file).bytes(),
            is_in_header: true,
        }
    }

    /// The first two fields of the next row; `None` at the end of the file. Other fields may hold anything, so quotes
    /// are followed: a line's end within them is none of the row's.
    fn fields(&mut self) -> Result<Option<[String; 2]>, Finding> {
        let mut fields = [String::new(), String::new()];
        let (mut column, mut is_quoted, mut is_empty) = (0, false, true);
        for byte in self.bytes.by_ref() {
            let byte = byte.map_err(|error| damaged(POPULATION, &error))?;
            is_empty = false;
            match byte {
                b'"' => is_quoted = !is_quoted,
                b'\n' if !is_quoted => return Ok(Some(fields)),
                b',' if !is_quoted => column += 1,
                byte => {
                    if let Some(field) = fields.get_mut(column)
                        && field.len() < FIELD_BYTES_MAX
                    {
                        field.push(char::from(byte));
                    }
                }
            }
        }
        match is_empty {
            true => Ok(None),
            false => Err(Verdict::DamagedBundle.says(format!("{POPULATION} ends within a row"))),
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, Finding>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.is_in_header) {
            match self.fields() {
                Ok(header) => header?,
                Err(finding) => return Some(Err(finding)),
            };
        }
        let [position, id] = match self.fields() {
            Ok(fields) => fields?,
            Err(finding) => return Some(Err(finding)),
        };
        Some(match position.parse() {
            Ok(position) => Ok(Row { position, id }),
            Err(_) => Err(Verdict::DamagedBundle.says(format!("{POPULATION} has a row at no position: {position:?}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart_whatever_stands_in_them() {
        let file = "position,decision_id,reason\r\n3,a,\"one,\r\ntwo \"\"quoted\"\"\r\n4,x,\"\r\n5,b,\r\n";
        let rows: Vec<_> = Rows::of(file.as_bytes()).map(|row| row.unwrap()).collect();
        let rows: Vec<_> = rows.iter().map(|row| (row.position, row.id.as_str())).collect();
        assert_eq!(rows, [(3, "a"), (5, "b")]);
        assert!(Rows::of("position,id\r\n3,a".as_bytes()).next().unwrap().is_err());
        assert!(Rows::of("position,id\r\nx,a\r\n".as_bytes()).next().unwrap().is_err());
        assert!(Rows::of("".as_bytes()).next().is_none());
    }
}
