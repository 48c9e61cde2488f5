; A loop is a call that is the last thing in its function. It needs no stack, and (gc) keeps its garbage small:
; the heap has room for about eighty thousand pairs, and this makes a million.
(define (loop n)
  (begin
    (if (= (rem n 2000) 0) (gc) '())
    (if (= n 0) 'done (loop (- n 1)))))
(print (loop 40000))
