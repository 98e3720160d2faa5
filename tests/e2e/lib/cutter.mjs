// SPDX-License-Identifier: Apache-2.0
// A proxy in front of a node that breaks connections: before a request is passed on, after it was (so that
// the node has done what was asked and nobody hears), or in the middle of the answer. Which, a number
// decides; what is passed on is not changed.
import http from 'node:http';
import https from 'node:https';
import { atEnd } from './tap.mjs';

/** cut: a function of the request's JSON text; returns null, 'before', 'after' or 'middle'. Resolves to
 * { url, counts, down(bool), stop }. While it is down, connections are refused by their end. tls: options of
 * https.createServer; seen: told of each request's headers and text; edit(request, reply): the reply to be given, or a promise
 * of it. */
export async function startCutter(target, cut = () => null, { tls, seen, edit } = {}) {
  const agent = new http.Agent({ keepAlive: true });
  const counts = { passed: 0, before: 0, after: 0, middle: 0 };
  let isDown = false;
  const server = (tls ? https : http).createServer(tls ?? {}, (req, res) => {
    const parts = [];
    req.on('data', (d) => parts.push(d));
    req.on('end', () => {
      const body = Buffer.concat(parts);
      seen?.(req.headers, body.toString());
      const how = isDown ? 'before' : cut(body.toString());
      if (how) counts[how]++;
      if (how === 'before') return res.destroy();
      const up = http.request(target, { method: req.method, agent, headers: { 'content-type': 'application/json', 'content-length': body.length } }, (r) => {
        const back = [];
        r.on('data', (d) => back.push(d));
        r.on('end', async () => {
          const text = edit ? Buffer.from(await edit(body.toString(), Buffer.concat(back).toString())) : Buffer.concat(back);
          if (how === 'after') return res.destroy();
          res.writeHead(r.statusCode, { 'content-type': 'application/json', 'content-length': text.length });
          if (how === 'middle') {
            res.write(text.subarray(0, text.length >> 1));
            setTimeout(() => res.destroy(), 2);
            return;
          }
          counts.passed++;
          res.end(text);
        });
      });
      up.on('error', () => res.destroy());
      up.end(body);
    });
  });
  // WebSockets are piped as they are.
  const sockets = new Set();
  server.on('upgrade', (req, socket, head) => {
    if (isDown) return socket.destroy();
    const u = new URL(target);
    const up = http.request({ host: u.hostname, port: u.port, path: req.url, headers: req.headers });
    up.on('upgrade', (r, other, rest) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${Object.entries(r.headers).map(([k, v]) => `${k}: ${v}`).join('\r\n')}\r\n\r\n`);
      socket.write(rest);
      other.write(head);
      other.pipe(socket).pipe(other);
      sockets.add(socket);
      for (const s of [socket, other]) s.on('error', () => {}).on('close', () => (socket.destroy(), other.destroy(), sockets.delete(socket)));
    });
    up.on('error', () => socket.destroy());
    up.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => (server.close(), server.closeAllConnections(), sockets.forEach((s) => s.destroy()));
  atEnd(stop);
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${server.address().port}`,
    ws: `ws${tls ? 's' : ''}://127.0.0.1:${server.address().port}`,
    counts,
    down: (is) => {
      isDown = is;
      if (is) (server.closeAllConnections(), sockets.forEach((s) => s.destroy()));
    },
    stop,
  };
}
