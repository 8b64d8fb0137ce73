//! A raw AMQP 0-9-1 publisher that can write properties that no library writes.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn var(part: &str) -> String {
    std::env::var(format!("TWYLA_TEST_AMQP_{part}")).unwrap()
}

fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text].concat()
}

/// A text or a table, prefixed with its length in four bytes.
pub fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}

fn frame(kind: u8, channel: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 0, channel][..], &long(payload), &[0xce]].concat()
}

/// Reads frames until a method with this class and number.
async fn until(stream: &mut TcpStream, class: u8, method: u8) {
    loop {
        let mut head = [0; 7];
        stream.read_exact(&mut head).await.expect("the broker has closed the connection");
        let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
        let mut payload = vec![0; size + 1];
        stream.read_exact(&mut payload).await.unwrap();
        if head[0] == 1 && payload[..4] == [0, class, 0, method] {
            return;
        }
    }
}

/// Publishes a body with exactly these properties, flags first (section 4.2.6.1), and waits for the confirm.
pub async fn publish(exchange: &str, routing_key: &[u8], properties: &[u8], body: &[u8]) {
    let mut stream = TcpStream::connect((var("HOST").as_str(), var("PORT").parse::<u16>().unwrap())).await.unwrap();
    stream.write_all(b"AMQP\x00\x00\x09\x01").await.unwrap();
    until(&mut stream, 10, 10).await;
    let login = [b"\0", var("USER").as_bytes(), b"\0", var("PASS").as_bytes()].concat();
    let start = [&[0, 10, 0, 11][..], &long(b""), &short(b"PLAIN"), &long(&login), &short(b"en_US")].concat();
    stream.write_all(&frame(1, 0, &start)).await.unwrap();
    until(&mut stream, 10, 30).await;
    stream.write_all(&frame(1, 0, &[0, 10, 0, 31, 0, 8, 0, 2, 0, 0, 0, 0])).await.unwrap();
    let open = [&[0, 10, 0, 40][..], &short(var("VHOST").as_bytes()), &[0, 0]].concat();
    stream.write_all(&frame(1, 0, &open)).await.unwrap();
    until(&mut stream, 10, 41).await;
    stream.write_all(&frame(1, 1, &[0, 20, 0, 10, 0])).await.unwrap();
    until(&mut stream, 20, 11).await;
    stream.write_all(&frame(1, 1, &[0, 85, 0, 10, 0])).await.unwrap();
    until(&mut stream, 85, 11).await;
    let method = [&[0, 60, 0, 40, 0, 0][..], &short(exchange.as_bytes()), &short(routing_key), &[0]].concat();
    let header = [&[0, 60, 0, 0][..], &(body.len() as u64).to_be_bytes(), properties].concat();
    let message = [frame(1, 1, &method), frame(2, 1, &header), frame(3, 1, body)].concat();
    stream.write_all(&message).await.unwrap();
    until(&mut stream, 60, 80).await;
}
