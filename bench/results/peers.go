package results

import "mybeacon/bench/plot"

// peer is what another method reached on a recording: quoted, not measured here.
type peer struct {
	name        string
	median, p90 float64 // metres
}

// flatPeers and libraryPeers are the rows of the page that have errors.
func flatPeers() []peer {
	return []peer{
		{"nearest receiver", 1.52, 4.30},
		{"weighted centroid", 1.86, 3.31},
		{"Gauss-Newton on ranges", 1.70, 3.82},
		{"dB-domain, not calibrated", 1.59, 3.06},
		{"ESPresense-companion", 2.85, 3.83},
		{"Bermuda, fitted", 1.45, 4.00},
		{"room-assistant, fitted", 1.31, 4.54},
		{"BPS, fitted", 1.32, 2.86},
		{"kNN, 4,104 survey points", 1.00, 2.19},
	}
}

func libraryPeers() []peer {
	return []peer{
		{"nearest receiver", 2.28, 5.30},
		{"weighted centroid", 1.53, 3.88},
		{"ESPresense-companion", 1.43, 3.76},
		{"dB-domain, not calibrated", 1.55, 3.95},
		{"kNN, full survey", 1.58, 3.97},
	}
}

// marks draws peers at their medians and 90th percentiles.
func marks(peers []peer) (plot.Series, [][2]string) {
	s := plot.Series{Name: "others: median and p90", Kind: plot.Letters, Color: plot.Grey}
	var keys [][2]string
	for i, p := range peers {
		letter := string(rune('a' + i))
		s.Points = append(s.Points, plot.Point{X: p.median, Y: 0.5}, plot.Point{X: p.p90, Y: 0.9})
		s.Names = append(s.Names, letter, letter)
		keys = append(keys, [2]string{letter, p.name})
	}
	return s, keys
}
