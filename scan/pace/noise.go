package pace

import "time"

const (
	// noiseMax is the greatest share of refusals that may have nothing to do with the rate: half of the backends are ill. A store that
	// refuses more is in trouble, whatever the trouble is.
	noiseMax = 0.55

	// trialRefusals is how many refusals a trial would see, did it not help: of so many, hardly ever less than half come.
	trialRefusals = 8

	// trialNone is how many it would see if it comes to a good end at the first: hardly ever do none of so many come.
	trialNone = 3

	// trialMax is when a trial ends that has not seen as much.
	trialMax = 5 * time.Second

	// triesMin is how many cuts are in vain before the refusals are believed to be noise. At the first one a store may have
	// answered more than it allows, from what it had saved up; at the second it has nothing left.
	triesMin = 2

	// noiseFor is how long what was found is believed. To find it again costs a few windows at nine tenths of the rate.
	noiseFor = 10 * time.Second
)

// noise is the share of requests that a store refuses at any rate, as a proxy does one of whose backends is ill. It is
// found by trying: after a cut, refusals that come of the rate are gone, and the others stay. The zero noise is none.
type noise struct {
	share float64 // of all requests
	until time.Time

	tries  int     // cuts since the rate was before; 0: nothing is tried
	before float64 // the rate that was cut
	cutFor float64 // the share of refusals, beyond the noise, that it was cut for
}

// most is how many refusals of so many requests are no more than noise: hardly ever do twice as many come, and two more.
func (n *noise) most(all float64) float64 {
	if n.share == 0 {
		return 0
	}
	return 2*n.share*all + 2
}

// try begins a trial.
func (n *noise) try(before float64, good, bad int64) {
	if n.tries++; n.tries == 1 {
		n.before = before
	}
	n.cutFor = float64(bad)/float64(good+bad) - n.share
}

type outcome uint8

const (
	undecided outcome = iota
	helped            // the refusals came of the rate
	unclear           // they may have
	inVain            // they did not
)

// outcome of a trial that took so long and has seen so much.
func (n *noise) outcome(now time.Time, took time.Duration, good, bad int64) outcome {
	all := float64(good + bad)
	expected, came := n.cutFor*all, float64(bad)-n.share*all
	switch {
	case took < windowMin:
		return undecided
	case expected >= trialNone && bad == 0:
		return helped
	case expected < trialRefusals && took < trialMax:
		return undecided
	case came < expected/2 || expected < trialRefusals:
		return helped
	case came > 1.5*expected || n.tries < triesMin || float64(bad) > noiseMax*all:
		return unclear
	}
	n.share, n.until = (n.cutFor+n.share+float64(bad)/all)/2, now.Add(noiseFor) // before the cut, and after it
	return inVain
}

// end ends the trial.
func (n *noise) end() { n.tries = 0 }

// age forgets what was found long ago.
func (n *noise) age(now time.Time) {
	if n.share > 0 && now.After(n.until) {
		n.share = 0
	}
}
