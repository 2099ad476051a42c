// The socket that subscriptions run over (graphql-transport-ws), and what the bar says of it.

import { isUnauthenticated, renew } from './session.js';

const PING_EVERY_MS = 15_000;
const PONG_WITHIN_MS = 5_000;
const LONGEST_WAIT_MS = 10_000;
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;

const line = document.getElementById('live');

/** A client that comes back by itself after a lost connection and subscribes again. */
export function openLive(url, connectionParams) {
  let pongTimer;
  let events = 0;
  const say = (state, text) => {
    line.dataset.state = state;
    line.dataset.events = String(events);
    line.textContent = text;
  };
  say('idle', '');
  const client = graphqlWs.createClient({
    url,
    connectionParams,
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.MAX_SAFE_INTEGER,
    retryWait: (retries) => sleep(Math.min(1000 * 2 ** retries, LONGEST_WAIT_MS)),
    // A refused token stays refused; a server that restarts comes back.
    shouldRetry: (problem) => problem?.code !== FORBIDDEN,
    on: {
      connecting: (isRetry) => isRetry && say('retrying', 'Connection lost, trying again…'),
      closed: () => clearTimeout(pongTimer),
      // A frozen socket does not close by itself.
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => received && clearTimeout(pongTimer),
      message: ({ type }) => {
        if (type === 'next') say('open', `Live: ${count((events += 1))}`);
        if (type === 'complete') say('completed', `Stream completed after ${count(events)}`);
        if (type === 'error') say('failed', 'Subscription refused');
      },
    },
  });
  const subscribe = (payload, sink) => {
    events = 0;
    say('connecting', 'Connecting…');
    let stop;
    let isStopped = false;
    let isRenewed = false;
    const fail = (problem) => {
      say('failed', 'Subscription failed');
      // As a result, so that GraphiQL shows what it says and not a stack of calls.
      sink.next({ errors: Array.isArray(problem) ? problem : [{ message: why(problem) }] });
      sink.complete();
    };
    const start = () => {
      stop = client.subscribe(payload, {
        ...sink,
        next: (result) => {
          isRenewed = false;
          sink.next(result);
        },
        // The access token of a session ends every few minutes, and its socket with it.
        error: async (problem) => {
          const isOver = problem?.code === UNAUTHORIZED || isUnauthenticated(problem);
          const goesOn = isOver && !isRenewed && (await renew());
          if (isStopped) return;
          isRenewed = true;
          if (goesOn) start();
          else fail(problem);
        },
      });
    };
    start();
    return () => {
      isStopped = true;
      if (['connecting', 'open', 'retrying'].includes(line.dataset.state)) say('stopped', 'Stopped');
      stop();
    };
  };
  return { ...client, subscribe };
}

function why({ code, reason, message }) {
  if (code === FORBIDDEN) return 'The server refused the token. Sign in with a fresh one.';
  if (code === UNAUTHORIZED) return 'The session is over. Sign in again.';
  return message ?? `The socket closed: ${[code, reason].filter(Boolean).join(' ')}`;
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function count(events) {
  return events === 1 ? '1 event' : `${events} events`;
}
