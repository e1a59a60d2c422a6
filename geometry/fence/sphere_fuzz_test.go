package fence_test

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"mybeacon/geometry/fence"
)

func ringOf(raw []byte) []fence.LatLng {
	var out []fence.LatLng
	for ; len(raw) >= 16 && len(out) < 64; raw = raw[16:] {
		out = append(out, fence.LatLng{
			Lat: math.Float64frombits(binary.LittleEndian.Uint64(raw)),
			Lng: math.Float64frombits(binary.LittleEndian.Uint64(raw[8:])),
		})
	}
	return out
}

// FuzzRing feeds arbitrary rings. What ValidateSphere accepts must be indexable and
// must contain its own corners; what it refuses as crossing must name two edges.
func FuzzRing(f *testing.F) {
	for _, seed := range [][]float64{
		{0, 0, 0, 1, 1, 0},
		{0, -1, 0, 1, 1, 0, -1, 0},
		{90, 0, 80, 10, 80, -10},
		{80, 0, 80, 120, 80, 240},
		{0, 0, 0, 120, 0, 240},
		{0, 0, 0, 1e-300, 1e-300, 0},
		{5e-324, 0, 0, 5e-324, 0, 1},
		{math.NaN(), 0, 1, 0, 0, math.Inf(-1)},
		{10, 20, -10, -160, 0, 0},
		{0, 180, 0, -180, 1, 179},
	} {
		var raw []byte
		for _, v := range seed {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
		}
		f.Add(raw, 0.25, 0.25, 1.0)
	}
	f.Fuzz(func(t *testing.T, raw []byte, lat, lng, accuracy float64) {
		ring := ringOf(raw)
		err := fence.ValidateSphere(ring)
		var crossed *fence.SphereCrossingError
		if errors.As(err, &crossed) && !(0 <= crossed.A && crossed.A < crossed.B && crossed.B < len(ring)) {
			t.Fatalf("%v: edges %d and %d do not exist", ring, crossed.A, crossed.B)
		}
		x, indexErr := fence.NewSphere([]fence.SphereZone{{Index: 5, Ring: ring}})
		if (err == nil) != (indexErr == nil) {
			t.Fatalf("ValidateSphere says %v, NewSphere %v", err, indexErr)
		}
		if err != nil {
			return
		}
		for _, p := range ring {
			if zone, ok := x.Find(p); !ok || zone != 5 {
				t.Fatalf("%v does not contain its corner %v", ring, p)
			}
		}
		sum := 0.0
		shares := x.Shares(fence.LatLng{Lat: lat, Lng: lng}, accuracy, nil)
		for _, s := range shares {
			sum += s.P
		}
		if len(shares) > 0 && math.Abs(sum-1) > 1e-9 {
			t.Fatalf("the shares %v sum to %g", shares, sum)
		}
	})
}
