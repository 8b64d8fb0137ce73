//! The page on a terminal: drawn at each reading and when the terminal's size changes, until the user ends it.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use console::{Key, Term};
#[cfg(unix)]
use nix::sys::termios::{self, SetArg, Termios};

use crate::support::paint::{FAINT, paint};

/// How often the terminal's size is checked.
const LOOK: Duration = Duration::from_millis(200);

/// Returns whether standard output is a terminal that can be redrawn.
pub(super) fn is_possible() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows `first`, then a new page after each interval, until q, Escape, ctrl-C or a signal.
pub(super) fn show(first: String, interval: Duration, mut page: impl FnMut() -> String) -> io::Result<()> {
    let screen = Screen::enter()?;
    let keys = keys()?;
    let mut shown = first;
    loop {
        let mut size = screen.draw(&shown)?;
        let next = Instant::now() + interval;
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            match keys.recv_timeout(left.min(LOOK)) {
                Ok(Key::Char('q' | 'Q') | Key::Escape | Key::CtrlC) => return Ok(()),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) if screen.term.size() == size => {}
                Err(RecvTimeoutError::Timeout) => size = screen.draw(&shown)?,
                // no thread is left that could send a key or a signal
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(left.min(LOOK)),
            }
        }
        shown = page();
    }
}

/// Returns the keys that are typed, if standard input is a terminal. A signal that ends a program counts as ctrl-C.
fn keys() -> io::Result<Receiver<Key>> {
    let (sender, keys) = mpsc::channel();
    signals(sender.clone())?;
    if io::stdin().is_terminal() {
        std::thread::spawn(move || {
            let term = Term::stdout();
            // the terminal's mode is restored after each key, also after the key that ends this command
            while let Ok(key) = term.read_key_raw() {
                let ends = matches!(key, Key::Char('q' | 'Q') | Key::Escape | Key::CtrlC);
                if sender.send(key).is_err() || ends {
                    break;
                }
            }
        });
    }
    Ok(keys)
}

/// Sends ctrl-C for the first signal that would end this program without restoring the terminal.
#[cfg(unix)]
fn signals(sender: Sender<Key>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let within = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(within);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        // without a receiver the page has ended already
        let _ = sender.send(Key::CtrlC);
    });
    Ok(())
}

#[cfg(not(unix))]
fn signals(_: Sender<Key>) -> io::Result<()> {
    Ok(())
}

/// The terminal's alternate screen. Dropping it restores the screen, and the keyboard's mode, which a pending read has changed.
struct Screen {
    term: Term,
    #[cfg(unix)]
    keyboard: Option<Termios>,
}

impl Screen {
    fn enter() -> io::Result<Self> {
        control("\x1b[?1049h\x1b[?25l")?;
        Ok(Self {
            term: Term::stdout(),
            // none if standard input isn't a terminal
            #[cfg(unix)]
            keyboard: termios::tcgetattr(io::stdin()).ok(),
        })
    }

    /// Draws as much of a page as fits, and returns the terminal's size.
    fn draw(&self, page: &str) -> io::Result<(u16, u16)> {
        let size = self.term.size();
        let (rows, columns) = (usize::from(size.0), usize::from(size.1));
        let end = paint(FAINT, "q ends it").to_string();
        let lines: Vec<&str> = page.lines().collect();
        let room = rows.saturating_sub(2);
        let more = lines.len().saturating_sub(room);
        let end = if more > 0 { format!("{end}{}", paint(FAINT, format!(", {more} lines more"))) } else { end };
        // overwrite line by line and clear the rest, so that nothing flickers
        control("\x1b[H")?;
        for line in lines.into_iter().take(room).chain([""; 1]) {
            write!(crate::support::paint::stdout(), "{}", console::truncate_str(line, columns, "…"))?;
            control("\x1b[K\r\n")?;
        }
        write!(crate::support::paint::stdout(), "{}", console::truncate_str(&end, columns, "…"))?;
        control("\x1b[K\x1b[J")?;
        Ok(size)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = control("\x1b[?25h\x1b[?1049l");
        #[cfg(unix)]
        if let Some(keyboard) = &self.keyboard {
            let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, keyboard);
        }
    }
}

/// Writes control sequences, even if colours are off.
fn control(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
