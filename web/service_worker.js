// SPDX-License-Identifier: Apache-2.0
// Isolates the page, which may then have threads, where the server does not.
'use strict';

self.oninstall = () => self.skipWaiting();
self.onactivate = event => event.waitUntil(self.clients.claim());

self.onfetch = event => {
  const {request} = event;
  if (new URL(request.url).origin !== self.location.origin) return;
  event.respondWith((async () => {
    const answer = await fetch(request);
    if (answer.type === 'opaqueredirect' || answer.status === 0) return answer;
    const headers = new Headers(answer.headers);
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
    headers.set('Cross-Origin-Resource-Policy', 'same-origin');
    return new Response(answer.body, {
      status: answer.status, statusText: answer.statusText, headers});
  })());
};
