// SPDX-License-Identifier: Apache-2.0
// The start text for English: stories, science, news, letters, manuals.
#include "cm/start_text.h"

namespace llma::cm::internal {

// clang-format off
const std::string_view kEnglishText =
R"~(The first thing that most people want to know about a new house is how m)~"
R"~(uch it
will cost, and the second is how long it will take to build. Neither question
has a simple answer. The price depends on the size of the rooms, the quality of
the materials, the place where it stands and the time of the year; the time
depends on the weather, on the workers, and on whether the owner changes his
mind. However, there are a few general rules which can help. In the first
place, it is always better to make a plan before the work begins than to change
everything afterwards. In the second place, a small house that is well built is
worth more than a large one which is not. And finally, nobody should believe
that anything will be ready at the end of the month, although everyone says so.

At the beginning of the last century there were only two roads through the
valley, and both of them were closed during the winter. The people who lived
there had to keep enough food for themselves and for their animals from October
until the end of March. They were used to it. Their fathers and grandfathers
had done the same for hundreds of years, and they did not think of it as a
problem. Then the railway came. Within ten years almost half of the young men
had left for the city, where they could earn more money in a week than their
parents had seen in a year. Some of them came back; most of them did not. By
the time of the war, the government had built a school, a hospital and a bridge
across the river, but there were not enough children left for the school.

"I don't know what you mean," said the old man, shaking his head. "I have been
here all day, and I haven't seen anybody."

"You must have seen her!" cried the boy. "She came down this street only a few
minutes ago. She was wearing a white dress and she had a little dog with her."

"Well, well," said the old man. "If she was here, I'm sure that I would have
noticed her. Why don't you ask the woman at the corner? She knows everything
that happens in this town."

The boy thanked him and ran off as fast as he could. It was getting late, and
he was beginning to be afraid. What would his mother say when he came home
without his sister? He looked up and down the road, but there was no one to be
seen. "Oh dear!" he thought to himself, "I wish I had never let her go." He sat
down upon a stone by the side of the road, and was just going to cry, when he
heard a voice behind him.

"What are you looking for?" it said. He turned round at once, and there she
was, with the dog under her arm, looking very much surprised.

"Where have you been?" he asked her, in a rather angry tone. "I've been looking
for you everywhere!"

"I only went to see the garden," she replied. "The door was open, so I thought
that I might go in. There's the most beautiful tree you ever saw, and a great
many birds, and a table with cups and things on it; but nobody would talk to
me, and at last I came away. You needn't be so angry about it."

"You shouldn't have gone there alone," said he. "Come along now. Let's go home,
it's almost dark." And so they went on together, hand in hand, without speaking
another word, till they could see the light in the window of their own house.

A computer is a machine that follows instructions. A program is a set of such
instructions, usually written by people in a programming language and then
translated by another program, called a compiler, into a form that the machine
can execute. The data on which a program works is stored in memory as a
sequence of bits, that is, of zeros and ones. Eight bits are called a byte. A
number, a character, an image or a sound can be represented by a number of
bytes, for example by using the ASCII or Unicode standard for the characters of
a text. Since the amount of memory is limited, the size of the data is
important: the smaller it is, the more can be stored, and the faster it can be
sent over a network to other users.

There are several ways to measure how well a method works. The most common
measure is the time that it needs, expressed as a function of the size of the
input. An algorithm whose time is proportional to n is called linear. If the
time grows with the square of n, then doubling the input makes the program four
times slower, so that it cannot be used for large problems. In practice, other
properties are just as important, such as the amount of memory required, the
number of errors, and how difficult it is to understand the source code. It is
possible to improve one of these at the cost of another; therefore a good
design is always a compromise between speed, size and simplicity.

Let X be a random variable that takes one of m values with probabilities p1,
p2, ..., pm. The expected value of a function f(X) is then the sum of pi f(xi)
over all i. If all the values are equally likely, the probability of each is
1/m. For example, suppose that we throw a coin 10 times. There are 1024
possible results, and each of them has the same probability, 0.001. If we
observe that the first 9 results are equal, what should we predict for the next
one? According to the theory, nothing at all: the result does not depend on
what has been observed before. But if we are not certain that the coin is fair,
then the model must be changed, and the new evidence makes a different
prediction more likely. This is called learning.

In a recent study, researchers at the University of London found that children
who read for at least half an hour each day performed significantly better in
tests of language, mathematics and general knowledge than those who did not.
The difference was largest among younger children, and remained after taking
into account the education and income of their parents. "These results are
consistent with what we know from previous work," said Professor Smith, one of
the authors. "However, they do not show that reading is the cause." The paper
was published in the Journal of Social Science in September 2012. It is based
on information about more than 6,000 families in England and Wales, which was
collected between 1998 and 2010 and is available to the public on the web.

The President of the United States said on Monday that his government would not
accept the agreement in its present form. The members of the Council had met in
New York last week to discuss the international situation, but they were unable
to reach a decision. A further meeting will be held in January. According to
reports from the country, about 30 people were killed and more than 200 injured
when an old building fell down in the center of the capital during the night.
The police are looking for two men in connection with the accident. The company
which owns the building said in a statement that it had no comment to make at
this time. Shares of the company fell by 4.5 percent to $12.80, while the
market as a whole was little changed.

1. Introduction

This document describes how to install and use the software. Please read it
carefully before you begin. If you have any questions, or if something does not
work as expected, see the section "Known problems" below or send a message to
the mailing list. To install the program, you need an account with the right to
change system files. Copy all files from the directory to your hard disk, and
then run the script with the following command:

    ./configure && make && make install

By default, files are installed under /usr/local. You can use the --prefix
option to choose a different directory. For more information, see the file
README or visit the home page at http://www.example.com/index.html. The options
are listed in Table 1. Note that not all of them are supported on every system.

1.1. License

You may use, copy, modify and distribute this software for any purpose and free
of charge, provided that the copyright notice above and this permission notice
are included. It comes "as is", without any warranty, express or implied, and
the authors or copyright holders shall in no event be liable for damages or
other claims arising out of the use of the software. No person shall be required
to pay a fee under subsection (b) of this section, except as otherwise provided
in paragraph (2), unless notice has been given to such person in accordance
with the terms and conditions of this Act. All rights reserved.

2. History

The history of the subject can be divided into three periods. During the first,
which lasted from about 1850 until the First World War, most of the important
discoveries were made by individuals who worked alone and who often had other
occupations; they were doctors, teachers, priests, or men of independent means.
Many of their ideas were not accepted until long after their death. The second
period began with the foundation of large research laboratories, first in
Germany and then in America and Great Britain. For the first time, groups of
scientists, engineers and other experts worked together toward a common goal,
with the support of industry and of the state. In the third period, which has
continued up to the present day, the development of cheap computers has made it
possible for almost everyone to take part. What was once a matter of years can
now be done in a few hours; on the other hand, there are so many results that
nobody is able to read all of them.

It should be noted, however, that progress was neither constant nor inevitable.
There were long periods when nothing new was found. Between 1930 and 1945, for
instance, political events forced many of the leading figures to leave their
countries, and those who stayed were not free to publish what they had found.
Furthermore, some of the theories that were believed to be true turned out to
be wrong, or at least incomplete. It has been suggested that this is the normal
state of affairs in any science. Whether or not we agree with that view, we
must be careful not to judge the work of earlier generations by our own
standards, because they did not have the tools that we have, nor could they
know which of their many questions would later turn out to be the right ones.

Once upon a time there lived a king who had three daughters. The two eldest
were proud and beautiful, but the youngest was the fairest of them all, and her
heart was kind. Now it happened one day that the king was taken ill, and all
the wise men of the kingdom were called to his bed; but none of them could tell
what was the matter with him, and he grew worse and worse. Then came an old
woman, who said: "There is a well at the end of the world, and whoever drinks
of its water shall be made whole." So the king sent out his daughters, one
after the other, and he promised that she who brought him the water should have
half of his kingdom. The eldest set out upon her horse, and she rode and rode
through the great forest, until she came to a little house, before which there
sat a cat. "Good morning, my child," said the cat; "where are you going?" "What
is that to you?" said she, and rode on without stopping, and she was never seen
again.

Dear Sir or Madam,

Thank you very much for your letter of 14 May. We are sorry to hear that you
were not satisfied with our service, and we will do our best to solve the
problem as soon as possible. As you know, our terms of delivery do not allow us
to send goods without payment in advance. Nevertheless, since you have been a
good customer for many years, we would like to make you an offer: if you return
the product to us within the next thirty days, you will receive a new one and
we will pay the cost of transport. Please let us know what you think. I look
forward to hearing from you.

Yours sincerely,
John Brown
Manager, Department of Customer Service

On Fri, Jun 8, 2007 at 10:15 AM, Mary wrote:
> Hi everyone, I was wondering whether anyone here has tried this with the
> latest version? I can't get it to work on my machine. It says "file not
> found", although the file is definitely there.

I had the same problem last year. It's probably because the path contains a
space. You'll have to put it in quotes, or use another name. If that doesn't
help, let me know and I'll have a look at it. There's also a way to do it
without changing anything else, but I wouldn't recommend it, because you could
lose your data if something goes wrong. Hope this helps. Thanks, Peter

Water is one of the most important substances on Earth. It covers more than two
thirds of its surface, and every form of life that we know of depends upon it.
The human body consists of about 60 percent water. At normal pressure it
freezes at 0 degrees and boils at 100 degrees Celsius. When it freezes, its
volume increases by about nine percent; this is the reason why ice floats, and
why pipes may burst in a cold winter. The sun heats the water of the oceans, so
that some of it rises into the air as vapor. Higher up, where the air is
cooler, clouds are formed, and the water returns to the ground in the form of
rain or snow. A part of it flows through rivers and lakes back to the sea;
another part is taken up by plants and animals; the rest sinks into the soil.

There are many different types of energy, including light, heat, motion and
electricity. Energy can be changed from one type into another, but it can be
neither created nor destroyed. Modern society uses large amounts of energy,
most of which still comes from coal, oil and natural gas. Burning these fuels
produces carbon dioxide, which is thought to be the main cause of the change in
climate that has been observed over the past fifty years. Other sources, such
as wind and solar power, have become much cheaper in recent years, and they are
expected to provide a greater share in the future. Nuclear power is also used
in some countries, but it remains controversial because of the risk of
accidents and because there is no safe place for the waste.

Captain Wilson stood on the deck and looked out across the water. The wind had
dropped during the night, and the sea lay as flat as glass under a grey sky. He
had not slept. For three days they had been waiting for the other ship, and for
three days nothing had appeared on the horizon, not even a fishing boat. The
men were getting restless. They did not say anything, but he could see it in
their faces, in the way they stopped talking whenever he came near. If he gave
the order to turn back now, most of them would be glad. But what would they
say at home? He took out his watch, looked at it, and put it back into his
pocket again. "We'll wait until noon," he said at last to the young officer who
was standing beside him. "If there is no sign of them by then, we'll go on
without them." "Yes, sir," answered the officer quietly, and went below to tell
the others. The captain lit his pipe. Somewhere far away, or perhaps it was only
his imagination, he thought he could hear the sound of a bell.

She had always known that one day she would have to choose between her work and
her family, but she had never expected that it would happen so soon. Her
husband wanted to move to another part of the country, where he had been
offered a better position; her own firm, on the other hand, had just asked her
to become head of a new department. Both of them could not have what they
wanted. They talked about it for several evenings, at first calmly, then less
so. "It isn't fair," she told her best friend over coffee. "Why should I be the
one who has to give up everything?" Her friend thought for a moment before she
spoke. "Perhaps neither of you has to," she said. "Have you thought about
living in two places for a while? Many couples do that nowadays." It was not
the kind of advice she had hoped for, but the longer she thought about it, the
more sense it seemed to make.

To make a simple bread, mix 500 g of flour with a little salt and sugar, add
the yeast and about 300 ml of warm water, and work it with your hands for ten
minutes until it is smooth. Cover it with a cloth and leave it in a warm place
for an hour. Then put it into the oven at 220 degrees and bake it for 30 to 40
minutes. Remove it when the top is brown, and let it cool before cutting. You
may also add nuts, olives, cheese or dried fruit. It goes well with soup, and
it can be kept for three or four days. Serves four to six people.

The question whether machines can think is older than the machines themselves.
Before we can answer it, we have to say what we mean by the word "think". If we
mean only the ability to solve problems, to play games or to answer questions,
then there can be no doubt that machines already do so, and in some cases much
better than human beings. If, however, we mean that there is somebody who knows
that he is thinking, then it is hard to see how the question could ever be
decided, since we can only observe what a machine does and not what it feels.
The same is true, strictly speaking, of other people. We assume that they have
thoughts and feelings like our own because they behave as we do; that is to
say, we reason from their behavior to their minds. One could argue that we
ought to treat a machine in exactly the same way, provided that its behavior
cannot be distinguished from that of a person. This view has been criticized
for several reasons. First, it is not clear how long such a test should last,
or who should perform it. Second, a machine might use knowledge which was given
to it by its makers without understanding any of it. Third, it could be said
that intelligence is not a single property but a collection of many different
abilities, of which some may be present while others are missing.

Figure 3 shows the relationship between the two variables. As can be seen, the
values on the left side increase rapidly, whereas those on the right remain
nearly constant. The results are given in the following table, where each row
represents one test and each column one of the methods described above. Results
that are better than the average are shown in bold. In general, the second
method gives better results than the first, but it is also slower, because it
needs to compare each element with all the others. We used the default values
for all parameters except where otherwise stated. These experiments were run on
a 3.2 GHz processor with 8 GB of memory under Linux.
)~";
// clang-format on

}  // namespace llma::cm::internal
