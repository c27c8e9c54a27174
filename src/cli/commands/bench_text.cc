// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/bench_text.h"

namespace llma::cli {

std::string_view BenchText() {
  return R"(The miller's clock

When the old miller died he left his daughter three things: the mill, a debt
that was larger than the mill was worth, and a clock that had not gone for
eleven years. The mill stood where two small rivers met. In spring there was
too much water and in August there was none, and so the people of the valley
had long ago learned to bring their grain in June and to come back in October
for the flour, or for an explanation.

Anna was twenty-six and knew the mill better than her father had. She had
watched him oil what should have been replaced and replace what only needed
oil. The debt she did not know at all. It was held by a man called Brandt, who
lived in the town, and who arrived on the third day after the funeral with his
hat in his hand and a paper in his hat.

"I do not want your mill," he said. "Nobody wants a mill any more. There is a
steam mill at the harbour that grinds in a day what you grind in a month. What
I should like is the clock."

"It does not go," said Anna.

"I know. I sold it to your father. It did not go then, either."

She asked for a week to think about it. When he had left she took the clock
from the wall, laid it on the table where they used to weigh the sacks, and
opened it with the same small knife with which she cut the strings. There was
nothing wrong with it that she could see. The wheels were clean, the spring was
sound, and each tooth met its neighbour as it ought to. She wound it, and it
stood still. She pushed the pendulum, and it swung four times, more and more
slowly, like somebody who is being polite, and stopped.

On the second evening she noticed that it always stopped at the same place. She
marked the place with chalk. On the third she found that, if she turned the
whole clock upon its side, it did not stop there but a little later, and on the
fourth, since she was a miller and knew what it means when a wheel turns well
empty and badly under load, she weighed the pendulum.

It was much too heavy. She scraped at the brass with her knife, and beneath the
brass, which was as thin as the skin of an onion, the metal was softer, and of
another yellow. Then she understood what her father had bought, why he had
never had it mended, and what he had meant when he used to say, at the end of a
bad year, that the two of them would be all right as long as nobody asked what
time it was.

At the end of the week Brandt came back. The clock hung on the wall and was
going. It lost nine minutes in an hour, but it went.

"What have you done?" he said.

"I have given it a wooden pendulum," said Anna. "You may have it now, if you
like. It will be correct as soon as somebody gets the length right. And here is
what my father owed you, with the interest. I counted it twice."
)";
}

}  // namespace llma::cli
