"""A door into the cluster's network: the first line of a connection says `HOST PORT`, the rest goes there and back."""

import asyncio


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError):
        writer.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        host, port = (await reader.readline()).decode().split()
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
    except (OSError, ValueError):
        writer.transport.abort()
        return
    await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    far_writer.close()
    writer.close()


async def main() -> None:
    """Serve until killed."""
    async with await asyncio.start_server(_serve, "0.0.0.0", 3128) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
