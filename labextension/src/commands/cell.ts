/** The text of cells that ask for a board. */

/** A first design, for whoever has none yet. */
export const FIRST_DESIGN = `class Top(wiring.Component):
    duty: In(8)      # how long the LED is on, in 1/256
    led: Out(1)
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += self.led.eq(self.count < self.duty)
        return m`;

/** The magic's line, for a board or for any. */
export function magicLine(fpgaId: number | null): string {
  return fpgaId === null ? '%%fpga --name pwm' : `%%fpga --board ${fpgaId} --name pwm`;
}

/** A cell that asks for this board instead of the one that it asked for; `null` when it asks for none. */
export function withBoard(source: string, fpgaId: number): string | null {
  const [first, ...rest] = source.split('\n');
  if (!/^%%fpga(\s|$)/.test(first)) {
    return null;
  }
  const option = /--board(=|\s+)\S+/;
  const line = option.test(first)
    ? first.replace(option, `--board ${fpgaId}`)
    : first.replace('%%fpga', `%%fpga --board ${fpgaId}`);
  return [line, ...rest].join('\n');
}
