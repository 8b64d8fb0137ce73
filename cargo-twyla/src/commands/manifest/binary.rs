//! Reads the contract records of a built program: ELF, Mach-O (one architecture or several) or PE.

use object::macho::{MachHeader32, MachHeader64};
use object::read::macho::{FatArch, MachHeader, MachOFatFile32, MachOFatFile64};
use object::{Endianness, FileKind, Object, ObjectSection, SectionKind};
use twyla_contract::record::{self, Damaged, Record};

/// A file whose records can't be read.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(crate) enum Error {
    #[error("is not a program: neither ELF, Mach-O nor PE")]
    NoProgram,
    #[error("is a program that can't be read: {0}")]
    Unreadable(String),
    #[error("is damaged: in the section {section}, {damaged}")]
    Damaged { section: String, damaged: Damaged },
}

/// Reads the records of a program, given as its bytes.
///
/// Records are in loaded data sections, so debug information and code are skipped.
pub(crate) fn records(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let unreadable = |error: object::Error| Error::Unreadable(error.to_string());
    let mut records = Vec::new();
    match FileKind::parse(bytes).map_err(|_| Error::NoProgram)? {
        FileKind::MachOFat32 => {
            for arch in MachOFatFile32::parse(bytes).map_err(unreadable)?.arches() {
                one(arch.data(bytes).map_err(unreadable)?, &mut records)?;
            }
        }
        FileKind::MachOFat64 => {
            for arch in MachOFatFile64::parse(bytes).map_err(unreadable)?.arches() {
                one(arch.data(bytes).map_err(unreadable)?, &mut records)?;
            }
        }
        FileKind::Elf32 | FileKind::Elf64 | FileKind::MachO32 | FileKind::MachO64 | FileKind::Pe32 | FileKind::Pe64 => {
            one(bytes, &mut records)?;
        }
        _ => return Err(Error::NoProgram),
    }
    Ok(records)
}

fn one(bytes: &[u8], records: &mut Vec<Record>) -> Result<(), Error> {
    let unreadable = |error: object::Error| Error::Unreadable(error.to_string());
    match FileKind::parse(bytes).map_err(unreadable)? {
        FileKind::MachO32 => whole::<MachHeader32<Endianness>>(bytes).map_err(unreadable)?,
        FileKind::MachO64 => whole::<MachHeader64<Endianness>>(bytes).map_err(unreadable)?,
        _ => {}
    }
    let file = object::File::parse(bytes).map_err(unreadable)?;
    for section in file.sections() {
        use SectionKind::{Data, ReadOnlyData, ReadOnlyDataWithRel, ReadOnlyString, Text};
        // some targets keep constants in the code section
        if !matches!(section.kind(), Data | ReadOnlyData | ReadOnlyDataWithRel | ReadOnlyString | Text) {
            continue;
        }
        let data = section.data().map_err(unreadable)?;
        let name = || section.name().unwrap_or("?").to_owned();
        records.extend(record::read(data).map_err(|damaged| Error::Damaged { section: name(), damaged })?);
    }
    Ok(())
}

/// Returns whether the headers of a Mach-O file are complete: for a truncated one, the library returns fewer sections.
fn whole<M: MachHeader<Endian = Endianness>>(bytes: &[u8]) -> object::Result<()> {
    let header = M::parse(bytes, 0)?;
    let mut commands = header.load_commands(header.endian()?, bytes, 0)?;
    while commands.next()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use object::write::{Object as Written, StandardSection};
    use object::{Architecture, BinaryFormat};
    use twyla_contract::record::{head, len, write};

    use super::*;

    const EMITS: &[&str] = &["emits", "api.user_input", "aa", "bb"];

    fn program(format: BinaryFormat, data: &[u8]) -> Vec<u8> {
        let mut object = Written::new(format, Architecture::X86_64, Endianness::Little);
        let section = object.section_id(StandardSection::ReadOnlyData);
        object.append_section_data(section, data, 1);
        object.write().unwrap()
    }

    fn emits() -> Record {
        Record::Emits { event: "api.user_input".into(), content: "aa".into(), context: "bb".into() }
    }

    #[test]
    fn records_are_found_in_each_format() {
        const RECORD: [u8; len(EMITS)] = write(EMITS);
        let data = [b"before\0".as_slice(), &RECORD, b"after"].concat();
        for format in [BinaryFormat::Elf, BinaryFormat::MachO] {
            let bytes = program(format, &data);
            assert_eq!(records(&bytes), Ok(vec![emits()]), "{format:?}");
            for end in 0..bytes.len() {
                let cut = records(&bytes[..end]);
                assert!(cut.is_err() || cut == Ok(vec![emits()]), "{format:?}, cut at {end}: {cut:?}");
            }
        }
    }

    /// Two architectures in one file, as `lipo` makes it.
    #[test]
    fn records_are_found_in_each_architecture() {
        const RECORD: [u8; len(EMITS)] = write(EMITS);
        let slices = [program(BinaryFormat::MachO, &RECORD), program(BinaryFormat::MachO, b"nothing")];
        let mut fat = Vec::new();
        fat.extend(0xcafe_babe_u32.to_be_bytes());
        fat.extend(2_u32.to_be_bytes());
        let mut offset = 4096_u32;
        for slice in &slices {
            let size = u32::try_from(slice.len()).unwrap();
            for field in [0x0100_0007_u32, 3, offset, size, 12] {
                fat.extend(field.to_be_bytes());
            }
            offset += size.next_multiple_of(4096);
        }
        for slice in &slices {
            fat.resize(fat.len().next_multiple_of(4096), 0);
            fat.extend(slice);
        }
        assert_eq!(records(&fat), Ok(vec![emits()]));
    }

    #[test]
    fn reports_damaged_files_and_files_that_are_not_programs() {
        for bytes in [b"".as_slice(), b"#!/bin/sh\n", b"\x7fELF", b"{}"] {
            let error = records(bytes).unwrap_err();
            assert!(matches!(error, Error::NoProgram | Error::Unreadable(_)), "{error}");
        }
        let text = "emits\tapi.user_input\taa\tbb";
        let data = head(text) + &text.replace("api", "apo");
        let error = records(&program(BinaryFormat::Elf, data.as_bytes())).unwrap_err().to_string();
        assert_eq!(
            error,
            "is damaged: in the section .rodata, the record at byte 0 has a checksum that doesn't match its text"
        );
    }
}
