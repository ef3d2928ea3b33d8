import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Thumbnail as Picture } from '../shapes.js';
import { get } from './api.js';

export function Thumbnail({ data, alt }: { data: string; alt: string }): JSX.Element {
  return <img class="thumbnail" src={`data:image/jpeg;base64,${data}`} alt={alt} />;
}

/** How far below or above the window a picture is loaded that is loaded once. */
const rootMargin = '200px';

/** A picture that is loaded when it is nearly scrolled into view; with `refreshMs`, again and again while it is in view. */
export function LoadedThumbnail({
  path,
  alt,
  refreshMs,
}: {
  path: string;
  alt: string;
  refreshMs?: number;
}): JSX.Element {
  const data = useSignal('');
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer: number | undefined;
    let isInView = false;
    const load = async (): Promise<void> => {
      // What fails here fails in the view as well, which says so.
      const picture = document.hidden ? undefined : await get<Picture>(path).catch(() => undefined);
      if (picture !== undefined && picture.data !== '') data.value = picture.data;
      if (isInView && refreshMs !== undefined) timer = window.setTimeout(() => void load(), refreshMs);
    };
    const see = (changes: readonly IntersectionObserverEntry[]): void => {
      isInView = changes.at(-1)?.isIntersecting === true;
      window.clearTimeout(timer);
      if (isInView && (refreshMs !== undefined || data.value === '')) void load();
    };
    const observer = new IntersectionObserver(see, refreshMs === undefined ? { rootMargin } : {});
    if (place.current !== null) observer.observe(place.current);
    return () => {
      isInView = false;
      window.clearTimeout(timer);
      observer.disconnect();
    };
  }, [path]);
  return <div ref={place}>{data.value !== '' && <Thumbnail data={data.value} alt={alt} />}</div>;
}
