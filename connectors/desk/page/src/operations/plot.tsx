import {useEffect, useRef} from 'preact/hooks';
import uPlot from 'uplot';
import {locale, t} from '../messages';

export interface Line {
  label: string;
  colour: 'accent' | 'danger' | 'good' | 'warn';
  values: readonly (number | undefined)[];
}

const kHeight = 150;
const kRows = 12; // of the table: the last ones

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// Lines over time, with the same figures as a table for whoever cannot use a picture.
export function Plot({
  title,
  unit,
  times,
  lines,
}: {
  title: string;
  unit: string;
  times: readonly number[];
  lines: readonly Line[];
}) {
  const number = new Intl.NumberFormat(locale(), {maximumFractionDigits: 1});
  const clock = new Intl.DateTimeFormat(locale(), {timeStyle: 'medium'});
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = [
    times.map((time) => time / 1_000),
    ...lines.map((line) => line.values.map((value) => value ?? null)),
  ] as uPlot.AlignedData;
  useEffect(() => {
    const place = element.current;
    if (!place) return undefined;
    const axis = {stroke: colourOf('muted'), grid: {stroke: colourOf('line')}};
    // In the reader's way of writing them; the plot's own is American.
    const clockOf = (_plot: uPlot, seconds: number[]) =>
      seconds.map((at) => clock.format(at * 1_000));
    const numberOf = (_plot: uPlot, values: number[]) => values.map((value) => number.format(value));
    const made = new uPlot(
      {
        width: Math.max(place.clientWidth, 200),
        height: kHeight,
        legend: {show: false},
        cursor: {show: false},
        series: [
          {},
          ...lines.map((line) => ({label: line.label, stroke: colourOf(line.colour), width: 2})),
        ],
        axes: [{...axis, space: 90, values: clockOf}, {...axis, size: 60, values: numberOf}],
        scales: {y: {range: (_plot, _low, high) => [0, Math.max(high || 0, 1) * 1.05]}},
      },
      data,
      place,
    );
    plot.current = made;
    const resized = new ResizeObserver(() =>
      made.setSize({width: Math.max(place.clientWidth, 200), height: kHeight}),
    );
    resized.observe(place);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(data));
  const last = (line: Line) => line.values.at(-1);
  const shown = times.slice(-kRows);
  return (
    <section class="figure">
      <h2>{title}</h2>
      <p class="now">
        {lines.map((line) => (
          <span class={`key ${line.colour}`} key={line.label}>
            {line.label}{' '}
            <strong>{last(line) === undefined ? '–' : `${number.format(last(line)!)} ${unit}`}</strong>
          </span>
        ))}
      </p>
      <div ref={element} role="img" aria-label={t('operations.plot', {title})} />
      <details>
        <summary>{t('operations.table')}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('operations.time')}</th>
              {lines.map((line) => (
                <th scope="col" key={line.label}>
                  {line.label} ({unit})
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((time, index) => (
              <tr key={time}>
                <th scope="row">{clock.format(time)}</th>
                {lines.map((line) => {
                  const value = line.values[line.values.length - shown.length + index];
                  return <td key={line.label}>{value === undefined ? '–' : number.format(value)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}
