// Reports as the components use them: kept in memory until the horizon moves, old figures shown while new ones load.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, call, type Status } from './api.ts';
import { nextHour } from './hours.ts';

const ANSWERS_MAX = 300;
const answers = new Map<string, Promise<unknown>>();
const observers = new Set<(error: ApiError) => void>();

/** Hears every failure, for what concerns the whole screen: signed out, ClickHouse away. Returns how to stop. */
export function observeFailures(observer: (error: ApiError) => void): () => void {
  observers.add(observer);
  return () => void observers.delete(observer);
}
const failed = (error: ApiError) => observers.forEach((observer) => observer(error));

/** Drops every kept answer. */
export const forget = (): void => answers.clear();

function ask<T>(path: string): Promise<T> {
  const kept = answers.get(path);
  if (kept) return kept as Promise<T>;
  if (answers.size >= ANSWERS_MAX) forget();
  const asked = call<T>(path);
  answers.set(path, asked);
  asked.catch((error: ApiError) => {
    if (answers.get(path) === asked) answers.delete(path);
    failed(error);
  });
  return asked;
}

export interface Report<T> {
  data: T | null;
  error: ApiError | null;
  /** The data is of an earlier question; the answer is on its way. */
  isStale: boolean;
  retry: () => void;
}

/** Asks for a path again whenever it or the generation changes. A failure keeps the figures of the same question. */
export function useReport<T>(path: string, generation: number): Report<T> {
  const [state, setState] = useState<{ key: string; path: string; data: T | null; error: ApiError | null }>(
    { key: '', path: '', data: null, error: null });
  const [tries, setTries] = useState(0);
  const key = `${path} ${generation} ${tries}`;
  useEffect(() => {
    let isCurrent = true;
    ask<T>(path).then(
      (data) => isCurrent && setState({ key, path, data, error: null }),
      (error: ApiError) => isCurrent && setState((old) => ({ key, path, data: old.path === path ? old.data : null, error })),
    );
    return () => void (isCurrent = false);
  }, [key]);
  return { ...state, isStale: state.key !== key, retry: () => setTries(tries + 1) };
}

const CLOSE_GRACE_MS = 7_000;
const FIRST_HIT_POLL_MS = 10_000;
const AGAIN_AFTER_MS = 60_000;

/** How far the hours of a site are closed. Asks again when the next one should be, and when the page is looked at again. */
export function useStatus(site: number): { status: Status | null; error: ApiError | null; generation: number; renew: () => void } {
  const [state, setState] = useState<{ site: number; status: Status | null; error: ApiError | null }>({ site, status: null, error: null });
  const [generation, setGeneration] = useState(0);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let timer = 0;
    let asked = 0;
    let known = '';
    let isCurrent = true;
    const again = (ms: number) => {
      clearTimeout(timer);
      timer = window.setTimeout(poll, ms);
    };
    const poll = () => {
      asked = Date.now();
      call<Status>(`/api/sites/${site}/status`).then((status) => {
        if (!isCurrent) return;
        const seen = `${status.as_of} ${status.epoch}`;
        if (known && known !== seen) {
          forget();
          setGeneration((count) => count + 1);
        }
        known = seen;
        setState({ site, status, error: null });
        const now = Date.now();
        const isLate = now - Date.parse(status.as_of) > 3_600_000 + CLOSE_GRACE_MS;
        again(status.last_event_at === null ? FIRST_HIT_POLL_MS : isLate ? AGAIN_AFTER_MS : nextHour(now) + CLOSE_GRACE_MS - now);
      }, (error: ApiError) => {
        if (!isCurrent) return;
        setState((old) => ({ site, status: old.site === site ? old.status : null, error }));
        failed(error);
        again(error.retryAfterSeconds * 1000);
      });
    };
    const onVisible = () => document.visibilityState === 'visible' && Date.now() - asked > AGAIN_AFTER_MS && poll();
    document.addEventListener('visibilitychange', onVisible);
    poll();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [site, tries]);
  const renew = () => {
    forget();
    setGeneration((count) => count + 1);
    setTries((count) => count + 1);
  };
  return { ...(state.site === site ? state : { status: null, error: null }), generation, renew };
}
